#include "cdp/suppressions.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "cdp/base/bytes.h"
#include "cdp/quarantines.h"
#include "identity/hashed.h"
#include "tests/cdp/suppression_world.h"

// Who is suppressed is given to nobody again, whatever is said or sent later.

namespace {

using namespace tests;
using nlohmann::json;
using Reason = consent::SuppressionReason;
using Scope = consent::SuppressionScope;
using Shop = SuppressionShop;

}  // namespace

TEST_CASE("nothing of a suppressed person leaves by any channel, for any purpose",
          "[suppression]") {
    Shop world;
    REQUIRE(names_anybody(world.given()));
    const auto before = entries(world);
    const auto made = suppress(world, "email", "a@shop.example", Reason::deceased);
    CHECK(made["scope"] == "person");
    CHECK(entries(world) == before + 1);
    CHECK_FALSE(names_anybody(world.given()));
    for (const auto& [purpose, channel] :
         std::vector<std::pair<std::string, std::string>>{{"email_marketing", "email_tool"},
                                                          {"advertising", "ads_tool"},
                                                          {"service", "desk"},
                                                          {"tax", "desk"}}) {
        const auto answer = decided(world, "user_id", "u1", purpose, channel);
        CAPTURE(purpose, answer.dump(1));
        CHECK(answer["reason"] == "suppressed");
        const auto& why = answer["identifiers"][0]["reasons"][0];
        CHECK(why["code"] == "suppressed");
        CHECK(why["record"] == made["id"]);
        CHECK(why["identifier"]["value"] == "a@shop.example");
    }
    const auto google =
        world.platform().google_consent(PlatformWorld::channel("ads_tool"), "user_id", "u1");
    REQUIRE(google);
    CHECK(google->body()->find("\"granted\"") == std::string::npos);
    // It is stored all the same.
    CHECK(world.send_one(R"({"type":"track","event":"Seen","userId":"u1","messageId":"m3"})") ==
          "accepted");
    CHECK(world.exported(cdp::ExportKind::events).size() == 3);
    CHECK(faults(world) == "");
    CHECK(differing_folds(world) == "");
}

TEST_CASE("no grant, merge or split lifts a suppression", "[suppression]") {
    Shop world;
    suppress(world, "user_id", "u1");
    for (const auto* type : {"granted", "reconfirmed"})
        for (const auto& [named, value] : std::vector<std::pair<std::string, std::string>>{
                 {"user_id", "u1"}, {"email", "a@shop.example"}})
            world.consent(named, value, "email_marketing", type, "person");
    CHECK_FALSE(names_anybody(world.given()));
    // Another browser of hers, which nobody suppressed.
    world.send_one(R"({"type":"identify","messageId":"m5","userId":"u1","anonymousId":"c2",)"
                   R"("traits":{"firstName":"Ann"}})");
    world.consent("anonymous_id", "c2", "advertising", "granted", "person");
    CHECK(decided(world, "anonymous_id", "c2", "advertising", "ads_tool")["reason"] ==
          "suppressed");
    CHECK_FALSE(names_anybody(world.given()));

    const auto said = tests::say(
        world, tests::request("cannot_link", {{"user_id", "u1"}, {"email", "a@shop.example"}}));
    REQUIRE(said.contains("id"));
    CHECK_FALSE(names_anybody(world.given()));
    CHECK(decided(world, "email", "a@shop.example")["reason"] == "suppressed");
    // Whoever was suppressed may even go.
    const bool erased = GENERATE(false, true);
    if (erased) REQUIRE(erase(world, {.type = "user_id", .value = "u1"})["status"] == "completed");
    CHECK(decided(world, "email", "a@shop.example")["reason"] == "suppressed");
    const auto& quarantines = world.platform().quarantines();
    REQUIRE(quarantines.release(said["id"].get<std::string>(), "officer:lee", "two customers"));
    CHECK(decided(world, "email", "a@shop.example")["outcome"] == "allow");
    if (!erased) CHECK(decided(world, "user_id", "u1")["reason"] == "suppressed");
}

TEST_CASE("a suppressed address leaves in nobody's order", "[suppression]") {
    Shop world;
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    const auto whose =
        GENERATE(as<std::string>{}, "somebody else's", "nobody's", "three accounts'");
    const int accounts = whose == "nobody's" ? 0 : whose == "three accounts'" ? 3 : 1;
    for (int n = 0; n < accounts; ++n)
        world.send_one(R"({"type":"identify","userId":"other)" + std::to_string(n) +
                           R"(","traits":{"email":"gift@shop.example"}})",
                       till);
    world.send_one(R"({"type":"track","event":"Order Completed","userId":"u1","messageId":"m9",)"
                   R"("timestamp":"2026-11-21T11:06:00Z","properties":{"revenue":8,"email":)"
                   R"("gift@shop.example"}})",
                   till);
    const auto scope = GENERATE(Scope::person, Scope::identifier);
    CAPTURE(whose, static_cast<int>(scope));
    for (const auto* purpose : {"service", "tax"}) {
        const auto shown = world.timeline("desk", "user_id", "u1", {.purpose = purpose}).dump();
        CHECK(shown.find("gift@shop.example") != shown.npos);
    }
    suppress(world, "email", "gift@shop.example", Reason::complaint, scope);
    for (const auto* purpose : {"service", "tax"}) {
        const auto shown = world.timeline("desk", "user_id", "u1", {.purpose = purpose}).dump();
        CHECK(shown.find("gift@shop.example") == shown.npos);
        CHECK(shown.find("Order Completed") != shown.npos);
    }
}

TEST_CASE("a bounced address leaves in no form, and everything else as before", "[suppression]") {
    Shop world;
    // Somebody else who has it as a trait.
    world.send_one(R"({"type":"identify","messageId":"m6","userId":"u2","traits":{"plan":"silver",)"
                   R"("email":"b@shop.example"}})",
                   PlatformWorld::source("till", cdp::Trust::server));
    const auto made = suppress(world, "email", "a@shop.example", Reason::bounced);
    CHECK(made["scope"] == "identifier");
    const auto given = world.given();
    CHECK(given.find("a@shop.example") == std::string::npos);
    for (const auto& form : identity::hashed_forms(identity::Form::email, "a@shop.example"))
        CHECK(given.find(form.hex) == std::string::npos);
    CHECK(given.find("gold") != std::string::npos);
    CHECK(given.find("Order Completed") != std::string::npos);
    CHECK(tests::withheld(world.profile("email_tool", "user_id", "u1", "email_marketing"),
                          "email") == "suppressed");
    CHECK(decided(world, "email", "a@shop.example")["reason"] == "suppressed");
    CHECK(world.profile("desk", "user_id", "u2", "service")["traits"]["email"]["value"] ==
          "b@shop.example");
}

TEST_CASE("a list protects who comes later, under whatever form of the address it has",
          "[suppression]") {
    PlatformWorld world(lawful_config());
    const auto hash = identity::sha256_hex("late@shop.example");
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    CHECK(suppress(world, "email", "soon@shop.example", Reason::bounced)["made"] == true);
    CHECK(listed(world)["suppressions"][0]["identifier"]["value"].is_null());
    world.send_one(R"({"type":"identify","messageId":"m1","userId":"u1",)"
                   R"("traits":{"email":"soon@shop.example","plan":"gold"}})",
                   till);
    world.consent("email", "soon@shop.example", "email_marketing", "granted");
    CHECK(decided(world, "email", "soon@shop.example")["reason"] == "suppressed");
    CHECK(world.profile("desk", "user_id", "u1", "service").dump().find("soon@") ==
          std::string::npos);
    CHECK(listed(world)["suppressions"][0]["identifier"]["value"] == "soon@shop.example");

    SECTION("its hash, of the address") {
        world.send_one(R"({"type":"identify","messageId":"m2","userId":"u2","context":)"
                       R"({"externalIds":[{"type":"email_sha256","collection":"users",)"
                       R"("encoding":"none","id":")" +
                           identity::sha256_hex("soon@shop.example") + R"("}]}})",
                       till);
        CHECK(decided(world, "email_sha256", identity::sha256_hex("soon@shop.example"))["reason"] ==
              "suppressed");
    }
    SECTION("the address, of a hash that was suppressed before anybody had it") {
        const auto made = suppress(world, "email_sha256", hash, Reason::bounced);
        world.send_one(R"({"type":"identify","messageId":"m3","userId":"u3",)"
                       R"("traits":{"email":"late@shop.example"}})",
                       till);
        world.consent("email", "late@shop.example", "email_marketing", "granted");
        CHECK(decided(world, "email", "late@shop.example")["reason"] == "suppressed");
        CHECK(decided(world, "user_id", "u3", "service", "desk")["outcome"] == "allow");
        CHECK(lift(world, made["id"])["status"] == "revoked");
        CHECK(decided(world, "email", "late@shop.example")["outcome"] == "allow");
        CHECK(faults(world) == "");
    }
    SECTION("the address, of the hash that was suppressed when it was known") {
        world.send_one(R"({"type":"identify","messageId":"m3","userId":"u3",)"
                       R"("traits":{"email":"late@shop.example"}})",
                       till);
        world.consent("email", "late@shop.example", "email_marketing", "granted");
        REQUIRE(decided(world, "email", "late@shop.example")["outcome"] == "allow");
        suppress(world, "email_sha256", hash, Reason::complaint);
        CHECK(decided(world, "email", "late@shop.example")["reason"] == "suppressed");
    }
}

TEST_CASE("an officer's revocation alone ends a suppression, and both are in the ledger",
          "[suppression]") {
    Shop world;
    const auto first = suppress(world, "user_id", "u1", Reason::legal);
    const std::string id = first["id"];
    CHECK(suppress(world, "user_id", "u1", Reason::legal) ==
          json({{"id", id}, {"scope", "person"}, {"made", false}}));
    CHECK(lift(world, id, "")["error"] == "reason_required");
    CHECK(lift(world, "00")["error"] == "suppression_unknown");
    CHECK(lift(world, std::string(32, '0'))["error"] == "suppression_unknown");
    const auto suppressed_at = world.clock().now();
    world.clock().advance(std::chrono::minutes(1));
    const auto before = entries(world);
    const auto done = lift(world, id);
    CHECK(done["status"] == "revoked");
    CHECK(done["revoked"]["author"] == "officer:lee");
    CHECK(entries(world) == before + 1);
    CHECK(names_anybody(world.given()));
    CHECK(lift(world, id)["error"] == "already_revoked");
    // What held then is not forgotten.
    CHECK(decided(world, "user_id", "u1", "service", "desk", suppressed_at)["reason"] ==
          "suppressed");
    CHECK(decided(world, "user_id", "u1", "service", "desk")["outcome"] == "allow");
    CHECK(decided(world, "user_id", "u1", "service", "desk",
                  suppressed_at - std::chrono::seconds(1))["outcome"] == "allow");
    const auto known = world.audited("consent", {.subject = cdp::AuditSubject{"user_id", "u1"},
                                                 .purpose = "service",
                                                 .channel = "desk",
                                                 .as_of = world.clock().now(),
                                                 .known_at = suppressed_at});
    CAPTURE(known.dump(1));
    CHECK(known["then"].dump().find("suppressed") != std::string::npos);
    CHECK(known["now"].dump().find("suppressed") == std::string::npos);
    // Suppressed again it is another one.
    CHECK(suppress(world, "user_id", "u1", Reason::legal)["made"] == true);
    while (world.platform().ledger().publish(world.clock().now()).value()) continue;
    CHECK(faults(world) == "");
    const auto page = listed(world);
    REQUIRE(page["suppressions"].size() == 2);
    for (const auto& one : page["suppressions"]) CHECK(one["ledger"].contains("index"));
}

TEST_CASE("none is revoked while whom it is of is being erased", "[suppression]") {
    Shop world;
    const auto made = suppress(world, "email", "a@shop.example");
    const auto hash = identity::sha256_hex("a@shop.example");
    for (const auto& token : {world.vault().token("email", "a@shop.example"),
                              world.vault().token("email_sha256", hash)}) {
        const auto say = [&](bool closing) {
            const auto snapshot = world.store().snapshot();
            storage::Transaction transaction(*snapshot, storage::kPartition);
            if (closing)
                transaction.put(cdp::tombstone_key(token),
                                cdp::encode(cdp::Tombstone{.closing = true}));
            else
                transaction.erase(cdp::tombstone_key(token));
            REQUIRE(commit_and_wait(world.store(), std::move(transaction)).state ==
                    storage::CommitState::ok);
        };
        say(true);
        CHECK(lift(world, made["id"])["error"] == "erasure_under_way");
        say(false);
    }
    CHECK(lift(world, made["id"])["status"] == "revoked");
}

TEST_CASE("the check of the ledger notices a suppression that was changed or taken away",
          "[suppression]") {
    for (const auto* how : {"changed", "taken away", "put under somebody else"}) {
        CAPTURE(how);
        Shop world;
        const auto made = suppress(world, "user_id", "u1");
        REQUIRE(faults(world) == "");
        const auto id = cdp::RecordId::from(*cdp::from_hex(made["id"].get<std::string>()));
        const auto key = consent::suppression_key(world.vault().token("user_id", "u1"), id);
        const auto snapshot = world.store().snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        if (how == std::string("changed")) {
            transaction.put(key, consent::encode({.id = id, .scope = Scope::identifier}));
        } else if (how == std::string("taken away")) {
            transaction.erase(key);
        } else {
            const auto other = world.vault().token("user_id", "u2");
            transaction.put(consent::suppression_key(other, id),
                            world.store().snapshot()->get(key)->value());
        }
        REQUIRE(commit_and_wait(world.store(), std::move(transaction)).state ==
                storage::CommitState::ok);
        CHECK(faults(world).starts_with("suppression"));
    }
}

TEST_CASE("suppressions are listed in pages, by reason and by identifier", "[suppression]") {
    Shop world;
    std::vector<cdp::Result<cdp::NewSuppression>> many;
    for (int i = 0; i < 230; ++i)
        many.emplace_back(cdp::NewSuppression{
            .type = "email",
            .value = i % 23 == 7 ? "nobody" : "x" + std::to_string(i) + "@shop.example",
            .reason = i % 2 ? Reason::bounced : Reason::requested,
            .note = i == 3 ? std::string(2000, 'x') : "from the old list"});
    const auto made = world.platform().privacy().suppressions.suppress("officer:kim", many);
    REQUIRE(made);
    REQUIRE(made->size() == many.size());
    CHECK(std::ranges::count_if(*made, [](const auto& one) { return !one; }) == 11);
    CHECK((*made)[7].error().reason == "malformed_identifier");
    CHECK((*made)[7].error().pointer == "/identifier/value");
    CHECK((*made)[3].error().reason == "malformed_note");
    suppress(world, "email", "a@shop.example", Reason::complaint);

    std::size_t seen = 0;
    std::string cursor;
    do {
        const auto page = listed(world, {.page = {.limit = 50, .cursor = cursor}});
        seen += page["suppressions"].size();
        cursor = page["next"].is_null() ? "" : page["next"].get<std::string>();
    } while (!cursor.empty());
    CHECK(seen == 220);
    const auto complaints = listed(world, {.reason = Reason::complaint});
    REQUIRE(complaints["suppressions"].size() == 1);
    CHECK(complaints["suppressions"][0]["identifier"]["value"] == "a@shop.example");
    CHECK(
        listed(world, {.identifier = cdp::NamedIdentifier{
                           "email", "x1@shop.example"}})["suppressions"][0]["reason"] == "bounced");
    CHECK(listed(world, {.page = {.cursor = "00"}})["error"] == "malformed_cursor");
    CHECK(suppress(world, "e-mail", "a@shop.example")["error"] == "identifier_type_unknown");
    CHECK(suppress(world, "person", std::string(32, '0'))["error"] == "person_not_identifier");
}

TEST_CASE("from its answer on no read shows whom a suppression concerns", "[suppression]") {
    constexpr int kPeople = 40;
    PlatformWorld world(lawful_config());
    const auto name = [](int n) { return "u" + std::to_string(n); };
    for (int n = 0; n < kPeople; ++n)
        world.send_one(R"({"type":"identify","userId":")" + name(n) + R"(","messageId":")" +
                           name(n) + R"(","traits":{"plan":"gold"}})",
                       PlatformWorld::source("till", cdp::Trust::server));
    std::atomic<int> done = 0;
    std::atomic<int> leaked = 0;
    std::atomic<int> shown = 0;
    std::vector<std::thread> readers;
    for (int reader = 0; reader < 3; ++reader)
        readers.emplace_back([&, reader] {
            for (int i = reader; done < kPeople; ++i) {
                const int n = i % kPeople;
                const bool over = n < done;
                const auto answer = world.platform().profile(PlatformWorld::channel("desk"),
                                                             "user_id", name(n), "service");
                const bool shows = answer && answer->body()->find("gold") != std::string::npos;
                shown += shows ? 1 : 0;
                leaked += over && shows ? 1 : 0;
            }
        });
    for (int n = 0; n < kPeople; ++n) {
        const auto made = world.platform().privacy().suppressions.suppress(
            "officer:kim", {.type = "user_id", .value = name(n)});
        REQUIRE(made);
        done = n + 1;
        while (shown <= n && n + 1 < kPeople) std::this_thread::yield();
    }
    for (auto& reader : readers) reader.join();
    CHECK(leaked == 0);
    CHECK(shown > 0);
}

TEST_CASE("a commit that fails suppresses nobody, and sent again it is made once",
          "[suppression]") {
    auto store = std::make_unique<tests::InterposingStore>();
    auto& interposed = *store;
    PlatformWorld world(lawful_config(), std::move(store));
    world.send_one(kLogin, PlatformWorld::source("till", cdp::Trust::server));
    // Somebody else is faster.
    interposed.next = [&] { suppress(world, "user_id", "u1"); };
    const auto made = suppress(world, "user_id", "u1");
    CHECK(made["made"] == false);
    CHECK(listed(world)["suppressions"].size() == 1);
    CHECK(faults(world) == "");
}
