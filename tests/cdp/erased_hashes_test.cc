#include "cdp/erasures.h"
#include "cdp/hash_search.h"
#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"
#include "cdp/subject_report.h"
#include "identity/hashed.h"
#include "tests/cdp/backup_world.h"
#include "tests/cdp/suppression_world.h"
#include "tests/support/seeds.h"

// An address or number and its hashes are one identifier: whoever is erased by one of them is
// erased by all.

namespace {

using nlohmann::json;
using tests::erase;
using tests::PlatformWorld;

constexpr auto kBefore = "2026-11-20T12:00:00Z";
constexpr auto kAfter = "2026-11-21T18:00:00Z";

std::string email_hash(const std::string& address) {
    return identity::sha256_hex(address);
}

// u1 with an address and a number, seen before the erasures of these tests; and one who stays.
struct Hashes : PlatformWorld {
    Hashes() : PlatformWorld(tests::open_config()) {
        send_one(R"({"type":"identify","userId":"u1","anonymousId":"c1","messageId":"m1",)"
                 R"("timestamp":"2026-11-20T10:00:00Z","traits":{"email":"j.ane+x@gmail.com",)"
                 R"("phone":"+4915112345678","plan":"gold"}})",
                 till());
        send_one(R"({"type":"track","event":"x","userId":"u1","anonymousId":"c1",)"
                 R"("messageId":"m3","timestamp":"2026-11-20T11:00:00Z"})",
                 till());
        send_one(R"({"type":"identify","userId":"u2","messageId":"m2",)"
                 R"("timestamp":"2026-11-20T10:00:00Z","traits":{"plan":"silver"}})",
                 till());
    }

    static cdp::Principal till() { return source("till", cdp::Trust::server); }

    std::string seen(const std::string& type, const std::string& value, const char* time,
                     const std::string& cookie = "new") {
        const json event{
            {"type", "identify"},
            {"anonymousId", cookie},
            {"messageId", "e" + std::to_string(++events_)},
            {"timestamp", time},
            {"traits", {{"plan", "back"}}},
            {"context",
             {{"externalIds",
               {{{"id", value}, {"type", type}, {"collection", "users"}, {"encoding", "none"}}}}}}};
        return send_one(event.dump(), till());
    }
    // Of the later time, which has come.
    std::string seen_later(const std::string& type, const std::string& value,
                           const std::string& cookie = "new") {
        clock().set("2026-11-22T00:00:00Z");
        return seen(type, value, kAfter, cookie);
    }
    bool holds(const std::string& what) {
        return std::ranges::any_of(exported(cdp::ExportKind::persons), [&](const json& person) {
            return person.dump().find('"' + what + '"') != std::string::npos;
        });
    }

private:
    int events_ = 0;
};

std::vector<std::pair<std::string, std::string>> all_hashes() {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& form : identity::hashed_forms(identity::Form::email, "j.ane+x@gmail.com"))
        out.emplace_back("email_sha256", form.hex);
    for (const auto& form : identity::hashed_forms(identity::Form::phone, "+4915112345678"))
        out.emplace_back("phone_sha256", form.hex);
    return out;
}

}  // namespace

TEST_CASE("who is erased does not come back by any hash of what they had") {
    Hashes world;
    REQUIRE(erase(world, {.type = "user_id", .value = "u1"})["erased"]["identifiers"] == 4);
    REQUIRE(all_hashes().size() == 7);
    for (const auto& [type, hash] : all_hashes()) {
        CAPTURE(type, hash);
        CHECK(world.seen(type, hash, kBefore) == "suppressed");
    }
    world.consent("email_sha256", email_hash("j.ane+x@gmail.com"), "email_marketing", "granted", "",
                  cdp::parse_time(kBefore));
    CHECK(world.exported(cdp::ExportKind::consents).empty());
    CHECK_FALSE(world.holds("new"));
    world.restart(tests::open_config());
    CHECK(world.seen("email_sha256", email_hash("jane@gmail.com"), kBefore) == "suppressed");
    CHECK(tests::differing_folds(world) == "");
}

TEST_CASE("who comes back by a hash after the erasure starts anew") {
    Hashes world;
    REQUIRE(erase(world, {.type = "email", .value = "j.ane+x@gmail.com"})["status"] == "completed");
    for (const auto& [type, hash] : all_hashes()) {
        CAPTURE(type, hash);
        CHECK(world.seen_later(type, hash, "c-" + hash.substr(0, 8)) == "accepted");
    }
    const auto again =
        world.profile("desk", "email_sha256", email_hash("jane@gmail.com"), "service");
    CHECK(again["traits"]["plan"]["value"] == "back");
    CHECK(world.seen_later("email", "j.ane+x@gmail.com") == "accepted");
    CHECK_FALSE(world.holds("u1"));
    CHECK(tests::differing_folds(world) == "");
}

TEST_CASE("who is erased for ever stays so by every hash") {
    Hashes world;
    REQUIRE(erase(world, {.type = "user_id",
                          .value = "u1",
                          .suppress = consent::SuppressionReason::complaint})["status"] ==
            "completed");
    for (const auto& [type, hash] : all_hashes()) {
        CAPTURE(type, hash);
        CHECK(world.seen(type, hash, kBefore) == "suppressed");
        CHECK(world.seen_later(type, hash) == "suppressed");
    }
    CHECK_FALSE(world.holds("new"));
}

TEST_CASE("an erasure by a hash takes whoever is held with the address") {
    const auto [type, hash] = GENERATE(from_range(all_hashes()));
    CAPTURE(type, hash);
    Hashes world;
    const auto scope = GENERATE(cdp::ErasureScope::person, cdp::ErasureScope::identifier);
    const cdp::ErasureRequest request{.type = type, .value = hash, .scope = scope};
    auto dry = request;
    dry.dry_run = true;
    const auto told = erase(world, dry);
    const auto done = erase(world, request);
    CAPTURE(done.dump());
    for (const auto* what : {"identifiers", "events", "traits", "links"})
        CHECK(done["erased"][what] == told["erased"][what]);
    if (scope == cdp::ErasureScope::person) {
        CHECK(done["erased"]["identifiers"] == 4);
        CHECK_FALSE(world.holds("u1"));
    } else {
        CHECK(done["erased"]["identifiers"].get<int>() >= 1);
        CHECK(world.holds("u1") == true);
        CHECK_FALSE(world.holds(type == "email_sha256" ? "j.ane+x@gmail.com" : "+4915112345678"));
    }
    CHECK(world.seen(type, hash, kBefore) == "suppressed");
    CHECK(world.seen(type == "email_sha256" ? "email" : "phone",
                     type == "email_sha256" ? "j.ane+x@gmail.com" : "+4915112345678",
                     kBefore) == "suppressed");
    CHECK(world.holds("u2"));
    CHECK(tests::differing_folds(world) == "");
    CHECK(tests::faults(world) == "");
}

TEST_CASE("an erasure by an address takes whoever was only seen under its hash") {
    Hashes world;
    const auto hash = email_hash("b@shop.example");
    REQUIRE(world.seen("email_sha256", hash, kBefore, "c9") == "accepted");
    const auto done = erase(world, {.type = "email", .value = "B@shop.example"});
    CHECK(done["erased"]["identifiers"] == 2);
    CHECK_FALSE(world.holds("c9"));
    CHECK(world.seen("email_sha256", hash, kBefore) == "suppressed");
    CHECK(world.seen("email", "b@shop.example", kBefore) == "suppressed");
    CHECK(world.seen("anonymous_id", "c9", kBefore, "c9") == "suppressed");
    CHECK(tests::differing_folds(world) == "");
}

TEST_CASE("an address whose hash alone was erased does not bring back what is from before") {
    Hashes world;
    const auto hash = email_hash("b@shop.example");
    const bool held = GENERATE(false, true);
    if (held) REQUIRE(world.seen("email_sha256", hash, kBefore, "c9") == "accepted");
    const auto done = erase(world, {.type = "email_sha256", .value = hash});
    CHECK(done["erased"]["identifiers"] == (held ? 2 : 0));
    const bool again = GENERATE(false, true);
    if (again) world.restart(tests::open_config());
    CHECK(world.seen("email", "b@shop.example", kBefore) == "suppressed");
    CHECK(world.seen("email", "c@shop.example", kBefore, "c10") == "accepted");
    world.consent("email", "b@shop.example", "email_marketing", "granted", "",
                  cdp::parse_time(kBefore));
    CHECK_FALSE(world.holds("b@shop.example"));
    CHECK(world.seen_later("email", "b@shop.example") == "accepted");
    CHECK(world.holds("b@shop.example"));
    CHECK(world.seen("email", "b@shop.example", kBefore, "c11") == "suppressed");
    CHECK(tests::differing_folds(world) == "");
}

TEST_CASE("every way in which a request names somebody by a hash is heeded when they come") {
    Hashes world;
    using cdp::HashKind;
    const std::vector<std::pair<cdp::HashedName, std::pair<std::string, std::string>>> named{
        // printf %s b@shop.example | md5sum, sha1sum
        {{"email", HashKind::md5, "cf0e7227df15b2823d9786dc56d5ea06"}, {"email", "b@shop.example"}},
        {{"email", HashKind::sha1, "344143b502f5b1c5ea706268472b5d8334f4ce10"},
         {"email", "b@shop.example"}},
        {{"email", HashKind::sha256, email_hash("b@shop.example")}, {"email", "b@shop.example"}},
        {{"crm_id", HashKind::sha256, identity::sha256_hex("k9")}, {"crm_id", "k9"}}};
    for (const auto& [name, whom] : named) {
        CAPTURE(name.type, name.hex);
        const auto stands = cdp::standing_for(name);
        REQUIRE(erase(world, {.type = stands.type, .value = stands.value})["status"] ==
                "completed");
        CHECK(world.seen(whom.first, whom.second, kBefore) == "suppressed");
    }
    CHECK(world.seen("crm_id", "k8", kBefore, "c8") == "accepted");
}

TEST_CASE("what is imported does not bring back by a hash who was erased") {
    Hashes world;
    REQUIRE(erase(world, {.type = "user_id", .value = "u1"})["status"] == "completed");
    const auto body = R"({"type":"identify","anonymousId":"old","messageId":"i1",)"
                      R"("timestamp":"2026-11-19T00:00:00Z","context":{"externalIds":[{"id":")" +
                      email_hash("j.ane+x@gmail.com") +
                      R"(","type":"email_sha256","collection":"users","encoding":"none"}]}})";
    auto parsed = cdp::parse_body(body, std::nullopt,
                                  world.platform().parse_context(Hashes::till(), /*import=*/true));
    REQUIRE(parsed);
    std::promise<cdp::VerdictKind> verdict;
    world.platform().ingest(Hashes::till(), std::move(*parsed),
                            [&](auto answer) { verdict.set_value(answer->front().kind); });
    CHECK(verdict.get_future().get() == cdp::VerdictKind::suppressed);
    CHECK_FALSE(world.holds("old"));
}

TEST_CASE("what others have is left to them, in every spelling") {
    Hashes world;
    // The hash of an address that three accounts have is several people's.
    const auto hash = email_hash("home@shop.example");
    for (const auto* user : {"u3", "u4", "u5"})
        world.send_one(json{{"type", "identify"},
                            {"userId", user},
                            {"messageId", std::string("h") + user},
                            {"timestamp", kBefore},
                            {"traits", {{"email", "home@shop.example"}}}}
                           .dump(),
                       Hashes::till());
    CHECK(erase(world, {.type = "email_sha256", .value = hash})["error"] == "identifier_shared");
    CHECK(erase(world, {.type = "user_id", .value = "u3"})["erased"]["identifiers"] == 1);
    CHECK(world.seen("email", "home@shop.example", kBefore, "c3") == "accepted");
    CHECK(world.seen("email_sha256", hash, kBefore, "c4") == "accepted");
    CHECK(tests::differing_folds(world) == "");
    // Alone it goes, with the hash that was sent.
    const auto done = erase(
        world, {.type = "email_sha256", .value = hash, .scope = cdp::ErasureScope::identifier});
    CHECK(done["erased"]["identifiers"].get<int>() >= 2);
    CHECK_FALSE(world.holds("home@shop.example"));
    CHECK_FALSE(world.holds(hash));
    CHECK(world.seen("email", "home@shop.example", kBefore, "c5") == "suppressed");
    CHECK(world.seen("email_sha256", hash, kBefore, "c6") == "suppressed");
    CHECK(tests::differing_folds(world) == "");
}

TEST_CASE("two spellings of one mailbox are one only to who names their hash") {
    Hashes world;
    REQUIRE(world.seen("email", "jane@gmail.com", kBefore, "c9") == "accepted");
    SECTION("by an address the other stays, and the hash with it") {
        CHECK(erase(world, {.type = "user_id", .value = "u1"})["erased"]["identifiers"] == 4);
        CHECK(world.holds("jane@gmail.com"));
        CHECK(world.seen("email_sha256", email_hash("jane@gmail.com"), kBefore) == "accepted");
        CHECK(world.seen("email_sha256", email_hash("j.ane+x@gmail.com"), kBefore) == "suppressed");
        CHECK(world.seen("email", "jane@gmail.com", kBefore) == "accepted");
    }
    SECTION("by the hash of both, both go") {
        CHECK(erase(world, {.type = "email_sha256",
                            .value = email_hash("jane@gmail.com")})["erased"]["identifiers"] == 6);
        CHECK(world.seen("email", "jane@gmail.com", kBefore) == "suppressed");
        CHECK(world.seen("email", "j.ane+x@gmail.com", kBefore) == "suppressed");
    }
    CHECK(tests::differing_folds(world) == "");
}

TEST_CASE("a fact by the address and an erasure by its hash never both count") {
    auto kept = std::make_unique<tests::InterposingStore>();
    auto& store = *kept;
    PlatformWorld world(tests::open_config(), std::move(kept));
    const auto hash = email_hash("b@shop.example");
    const auto fact = R"({"type":"identify","userId":"u1","messageId":"m1",)"
                      R"("timestamp":"2026-11-20T10:00:00Z","traits":{"email":"b@shop.example"}})";
    SECTION("the erasure is committed while the fact is worked on") {
        store.next = [&] { erase(world, {.type = "email_sha256", .value = hash}); };
        CHECK(world.send_one(fact) == "suppressed");
    }
    SECTION("the fact is committed while the erasure is worked on") {
        std::string verdict;
        store.next = [&] { verdict = world.send_one(fact); };
        const auto done = erase(world, {.type = "email_sha256", .value = hash});
        CHECK(verdict == "accepted");
        CHECK(done["erased"]["identifiers"] == 2);
    }
    CHECK(world.exported(cdp::ExportKind::persons).empty());
    CHECK(tests::differing_folds(world) == "");
}

TEST_CASE("a restore erases in every spelling what was erased since", "[backup]") {
    tests::BackedUp world;
    const auto till = Hashes::till();
    const auto named = [](const char* type, const std::string& value, const char* id) {
        return json{
            {"type", "identify"},
            {"anonymousId", std::string("c-") + id},
            {"messageId", id},
            {"timestamp", kBefore},
            {"context",
             {{"externalIds",
               {{{"id", value}, {"type", type}, {"collection", "users"}, {"encoding", "none"}}}}}}}
            .dump();
    };
    REQUIRE(world.send_one(named("email", "a@shop.example", "m1"), till) == "accepted");
    world.create();
    world.erase("email", "a@shop.example");
    world.erase("email_sha256", email_hash("b@shop.example"));
    CHECK(render(world.restore()).find(R"("identifiers_gone":2)") != std::string::npos);
    tests::RestoredWorld restored(world.target(), world.keyring());
    CHECK(restored.exported(cdp::ExportKind::persons).empty());
    CHECK(restored.send_one(named("email_sha256", email_hash("a@shop.example"), "n1"), till) ==
          "suppressed");
    CHECK(restored.send_one(named("email", "b@shop.example", "n2"), till) == "suppressed");
    CHECK(restored.send_one(named("email_sha256", email_hash("b@shop.example"), "n3"), till) ==
          "suppressed");
    CHECK(restored.send_one(named("email", "d@shop.example", "n4"), till) == "accepted");
}

TEST_CASE("requests about who was erased end by themselves, also those that a hash alone names") {
    Hashes world;
    auto& requests = world.platform().privacy().requests;
    int told = 0;
    requests.subscribe([&] { ++told; });
    const auto ask = [&](cdp::PrivacyKind kind, const std::string& value) {
        const auto taken =
            requests.submit("kim", {.kind = kind, .identifiers = {{"email_sha256", value}}});
        REQUIRE(taken);
        return taken->id;
    };
    const auto hash = email_hash("j.ane+x@gmail.com");
    const auto erasure = ask(cdp::PrivacyKind::erasure, hash);
    const auto access = ask(cdp::PrivacyKind::access, email_hash("jane@gmail.com"));
    const auto other = ask(cdp::PrivacyKind::access, email_hash("other@shop.example"));
    world.clock().advance(std::chrono::seconds(1));
    const auto before = told;
    REQUIRE(erase(world, {.type = "user_id", .value = "u1"})["status"] == "completed");
    CHECK(told > before);
    REQUIRE(requests.run_due([] { return true; }));
    CHECK(requests.read(erasure)->state == cdp::PrivacyState::fulfilled);
    CHECK(requests.read(access)->state == cdp::PrivacyState::denied);
    CHECK(requests.read(access)->identifiers.empty());
    CHECK(requests.read(other)->state == cdp::PrivacyState::waiting_for_verification);
}

TEST_CASE("a request by a hash is about whoever has the address") {
    Hashes world;
    auto& requests = world.platform().privacy().requests;
    const auto hash = email_hash("jane@gmail.com");
    const auto done = [&](cdp::PrivacyKind kind) {
        cdp::NewPrivacyRequest asked{
            .kind = kind, .identifiers = {{"email_sha256", hash}}, .verified_by = "in_person"};
        if (kind == cdp::PrivacyKind::rectification) asked.traits = {{"plan", "\"blue\""}};
        const auto taken = requests.submit("kim", asked);
        REQUIRE(taken);
        return *requests.advance(taken->id);
    };
    CHECK(done(cdp::PrivacyKind::access).results.matched);
    const auto report = [&] {
        std::string out;
        const auto written = world.platform().privacy().reports.write(
            PlatformWorld::officer(), {.type = "email_sha256", .value = hash},
            [&](std::string_view piece) {
                out += piece;
                return true;
            });
        return written ? out : written.error().reason;
    };
    CHECK(report().find("j.ane+x@gmail.com") != std::string::npos);
    CHECK(done(cdp::PrivacyKind::rectification).state == cdp::PrivacyState::fulfilled);
    CHECK(world.profile("desk", "user_id", "u1", "service")["traits"]["plan"]["value"] == "blue");
    CHECK(done(cdp::PrivacyKind::erasure).results.counts.at("identifiers") == 4);
    CHECK(report() == "person_unknown");
}

TEST_CASE("whatever is erased by whatever spelling, the store is what its rebuild makes") {
    const auto seed = GENERATE(tests::seeds(20));
    CAPTURE(seed);
    cdp::Random random(seed);
    Hashes world;
    const std::vector<std::string> addresses{"j.ane+x@gmail.com", "jane@gmail.com",
                                             "j.ane@gmail.com", "b@shop.example", "c@shop.example"};
    const auto spelled = [&]() -> std::pair<std::string, std::string> {
        const auto& address = addresses[random.below(addresses.size())];
        if (random.one_in(2)) return {"email", address};
        const auto forms = identity::hashed_forms(identity::Form::email, address);
        return {"email_sha256", forms[random.below(forms.size())].hex};
    };
    for (int i = 0; i < 60; ++i) {
        world.clock().advance(std::chrono::minutes(30));
        const auto [type, value] = spelled();
        if (random.one_in(8)) {
            const bool person = random.one_in(2);
            const auto done = erase(world, {.type = type,
                                            .value = value,
                                            .scope = person ? cdp::ErasureScope::person
                                                            : cdp::ErasureScope::identifier});
            CAPTURE(i, type, value, person, done.dump());
            if (done.contains("error")) {
                CHECK(done["error"] == "identifier_shared");
            } else {
                CHECK_FALSE(world.holds(value));
                CHECK(world.seen(type, value, kBefore) == "suppressed");
            }
            CHECK(tests::differing_folds(world) == "");
            if (random.one_in(4)) world.restart(tests::open_config());
            continue;
        }
        json event{
            {"type", "identify"},
            {"messageId", "r" + std::to_string(i)},
            {"timestamp", cdp::format_time(world.clock().now() -
                                           std::chrono::minutes(random.below(3 * 24 * 60)))},
            {"traits", {{"plan", std::to_string(i)}}},
            {"context",
             {{"externalIds",
               {{{"id", value}, {"type", type}, {"collection", "users"}, {"encoding", "none"}}}}}}};
        if (random.one_in(3)) event["userId"] = "u" + std::to_string(random.below(4));
        if (random.one_in(2)) event["anonymousId"] = "a" + std::to_string(random.below(5));
        world.send_one(event.dump(), Hashes::till());
    }
    CHECK(tests::differing_folds(world) == "");
    CHECK(tests::faults(world) == "");
}
