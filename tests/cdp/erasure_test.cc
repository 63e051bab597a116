#include "cdp/erasures.h"
#include "cdp/privacy.h"

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "cdp/facts.h"
#include "cdp/interrupted.h"
#include "cdp/rebuild.h"
#include "cdp/tombstones.h"
#include "storage/key.h"
#include "tests/cdp/failing_store.h"
#include "tests/cdp/stewardship_world.h"
#include "tests/support/seeds.h"

// Who is erased is gone from every row, does not come back, and takes nobody else along.

namespace {

using nlohmann::json;
using tests::PlatformWorld;

json erase(PlatformWorld& world, const std::string& type, const std::string& value,
           cdp::ErasureScope scope = cdp::ErasureScope::person, bool dry_run = false) {
    const auto answer = world.platform().privacy().erasures.erase(
        PlatformWorld::officer(), "officer:kim",
        {.type = type, .value = value, .scope = scope, .dry_run = dry_run, .reason = "asked"});
    if (!answer) return {{"error", answer.error().reason}};
    return json::parse(*answer);
}

cdp::Token token(PlatformWorld& world, const std::string& type, const std::string& value) {
    return world.vault().token(type, value);
}

// The spaces of rows whose key or value holds the token's bytes.
std::string spaces_naming(PlatformWorld& world, const cdp::Token& token) {
    std::set<char> spaces;
    const std::string partition(2, '\0');
    REQUIRE(world.store().snapshot()->scan(partition, "", [&](auto key, auto value) {
        if (key.find(token.view()) != key.npos || value.find(token.view()) != value.npos)
            spaces.insert(key[2]);
        return true;
    }));
    return {spaces.begin(), spaces.end()};
}

// What outlives somebody: that they were erased, and when.
const std::string kTombstone(1, static_cast<char>(storage::Space::tombstone));

// A person of a shop: an account, a browser, an address, a telephone; and one who stays.
struct Shop : PlatformWorld {
    Shop() : PlatformWorld(tests::open_config()) { fill(); }
    explicit Shop(std::unique_ptr<storage::Store> store)
        : PlatformWorld(tests::open_config(), std::move(store)) {
        fill();
    }

    void fill() {
        const auto till = source("till", cdp::Trust::server);
        send_one(R"({"type":"identify","userId":"u1","anonymousId":"c1","messageId":"m1",)"
                 R"("timestamp":"2026-11-20T10:00:00Z","traits":{"email":"a@shop.example",)"
                 R"("plan":"gold"},"context":{"device":{"id":"tablet"},"consent":)"
                 R"({"categoryPreferences":{"advertising":true}}}})",
                 till);
        send_one(R"({"type":"track","event":"Order Completed","userId":"u1","messageId":"m2",)"
                 R"("timestamp":"2026-11-20T11:00:00Z","properties":{"revenue":7}})",
                 till);
        send_one(R"({"type":"group","groupId":"acme","userId":"u1","messageId":"m3",)"
                 R"("timestamp":"2026-11-20T11:30:00Z"})",
                 till);
        send_one(R"({"type":"identify","userId":"u2","messageId":"m4",)"
                 R"("timestamp":"2026-11-20T12:00:00Z","traits":{"plan":"silver"}})",
                 till);
        consent("email", "a@shop.example", "email_marketing", "granted");
        profile("email_tool", "user_id", "u1", "email_marketing");
    }
};

}  // namespace

TEST_CASE("who is erased is in no row, but that they were") {
    Shop world;
    const std::vector<cdp::Token> tokens{
        token(world, "user_id", "u1"), token(world, "anonymous_id", "c1"),
        token(world, "email", "a@shop.example"), token(world, "device_id", "tablet")};
    for (const auto& one : tokens) CHECK(spaces_naming(world, one).size() > 3);

    const auto dry =
        erase(world, "email", "a@shop.example", cdp::ErasureScope::person, /*dry_run=*/true);
    CHECK(dry["status"] == "dry_run");
    CHECK(world.profile("email_tool", "user_id", "u1", "email_marketing").contains("traits"));
    const auto done = erase(world, "email", "a@shop.example");
    CAPTURE(done.dump(1));
    CHECK(done["status"] == "completed");
    CHECK(done["erased"]["identifiers"] == 4);
    CHECK(done["erased"]["events"] == 3);
    CHECK(done["erased"]["groups"] == 1);
    CHECK(done["erased"]["traits"].get<int>() >= 2);
    CHECK(done["erased"]["consents"].get<int>() >= 2);
    CHECK(done["erased"]["disclosures"].get<int>() >= 1);
    // What was tried said what was done; the dry run itself was one more look at the person.
    for (const auto* what : {"identifiers", "events", "traits", "consents", "links", "groups"})
        CHECK(dry["erased"][what] == done["erased"][what]);
    REQUIRE(done["recipients"].size() == 1);
    CHECK(done["recipients"][0]["channel"] == "email_tool");
    CHECK(done["recipients"][0]["times"] == 2);

    for (const auto& one : tokens) CHECK(spaces_naming(world, one) == kTombstone);
    CHECK(world.profile("email_tool", "user_id", "u1", "email_marketing")["error"] ==
          "person_unknown");
    const auto kept = world.exported(cdp::ExportKind::persons);
    REQUIRE(kept.size() == 1);
    CHECK(kept[0]["identifiers"][0]["value"] == "u2");
    CHECK(json::parse(*world.platform().privacy().erasures.read(
              done["id"].get<std::string>()))["erased"] == done["erased"]);
    CHECK(json::parse(*world.platform().privacy().erasures.page({}))["erasures"].size() == 1);
}

TEST_CASE("what is from before the erasure does not come back, and what is later starts anew") {
    Shop world;
    world.clock().set("2026-11-21T00:00:00Z");
    const auto erased = world.clock().now();
    REQUIRE(erase(world, "user_id", "u1")["status"] == "completed");
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    // The same again, a late one, one by the address alone, one by an alias.
    CHECK(world.send_one(R"({"type":"track","event":"Order Completed","userId":"u1",)"
                         R"("messageId":"m2","timestamp":"2026-11-20T11:00:00Z"})",
                         till) == "suppressed");
    CHECK(world.send_one(R"({"type":"track","event":"x","userId":"u1","messageId":"n1",)"
                         R"("timestamp":"2026-11-21T00:00:00Z"})",
                         till) == "suppressed");
    CHECK(world.send_one(R"({"type":"identify","userId":"u9","messageId":"n2","traits":{"email":)"
                         R"("a@shop.example"},"timestamp":"2026-11-19T00:00:00Z"})",
                         till) == "suppressed");
    CHECK(world.send_one(R"({"type":"alias","userId":"u9","previousId":"c1","messageId":"n3",)"
                         R"("timestamp":"2026-11-19T00:00:00Z"})",
                         till) == "suppressed");
    world.consent("email", "a@shop.example", "email_marketing", "granted", "", erased);
    CHECK(world.profile("email_tool", "email", "a@shop.example", "email_marketing")["error"] ==
          "person_unknown");
    CHECK(world.exported(cdp::ExportKind::persons).size() == 1);

    world.clock().advance(std::chrono::hours(24));
    CHECK(world.send_one(R"({"type":"identify","userId":"u1","messageId":"n4","traits":{"email":)"
                         R"("a@shop.example"},"timestamp":"2026-11-21T20:00:00Z"})",
                         till) == "accepted");
    const auto again = world.profile("email_tool", "user_id", "u1", "email_marketing");
    CHECK(again["traits"].empty());
    CHECK(tests::withheld(again, "email") == "never_asked");
    CHECK(tests::withheld(again, "plan") == "");
    CHECK(world.platform().counters().suppressed == 4);
    // The stamp of a day that is known is written anew.
    world.consent("email", "a@shop.example", "email_marketing", "granted");
    CHECK(world.profile("email_tool", "user_id", "u1",
                        "email_marketing")["traits"]["email"]["value"] == "a@shop.example");
}

TEST_CASE("a tablet of several people stays shared when one of them is erased") {
    Shop world;
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    for (const auto* user : {"u1", "u2", "u3"})
        world.send_one(std::string(R"({"type":"track","event":"x","userId":")") + user +
                           R"(","messageId":"s)" + user +
                           R"(","timestamp":"2026-11-20T13:00:00Z",)"
                           R"("context":{"device":{"id":"tablet"}}})",
                       till);
    const auto persons = [&] { return tests::canonical(world, cdp::ExportKind::persons).size(); };
    const auto before = persons();
    REQUIRE(erase(world, "device_id", "tablet")["error"] == "identifier_shared");
    REQUIRE(erase(world, "user_id", "u1")["status"] == "completed");
    CHECK(persons() == before - 1);
    CHECK(world.profile("desk", "user_id", "u2", "service")["person"] !=
          world.profile("desk", "user_id", "u3", "service")["person"]);
}

TEST_CASE("one identifier goes with what was said of it, and the person stays") {
    Shop world;
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    world.send_one(R"({"type":"track","event":"x","userId":"u1","anonymousId":"c1",)"
                   R"("messageId":"m5","timestamp":"2026-11-20T13:00:00Z"})",
                   till);
    const auto done = erase(world, "email", "a@shop.example", cdp::ErasureScope::identifier);
    // The tablet was known by the same event only.
    CHECK(done["erased"]["identifiers"] == 2);
    CHECK(spaces_naming(world, token(world, "email", "a@shop.example")) == kTombstone);
    const auto persons = world.exported(cdp::ExportKind::persons);
    REQUIRE(persons.size() == 2);
    const auto whole = std::ranges::max_element(
        persons, {}, [](const json& person) { return person["identifiers"].size(); });
    CHECK((*whole)["identifiers"].size() == 2);
}

TEST_CASE("a tablet of a family goes with the last of them") {
    Shop world;
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    for (const auto* user : {"u3", "u4", "u5"})
        world.send_one(R"({"type":"track","event":"x","anonymousId":"kiosk","userId":")" +
                           std::string(user) + R"(","messageId":"s)" + user +
                           R"(","timestamp":"2026-11-20T13:00:00Z",)"
                           R"("context":{"device":{"id":"family"}}})",
                       till);
    world.send_one(R"({"type":"group","groupId":"club","userId":"u5","messageId":"g1",)"
                   R"("timestamp":"2026-11-20T14:00:00Z","traits":{"name":"Us"}})",
                   till);
    const auto kiosk = token(world, "anonymous_id", "kiosk");
    const auto family = token(world, "device_id", "family");
    for (const auto* user : {"u3", "u4"}) {
        REQUIRE(erase(world, "user_id", user)["status"] == "completed");
        CHECK(spaces_naming(world, kiosk).find('L') != std::string::npos);
    }
    const auto last = erase(world, "user_id", "u5");
    CHECK(last["erased"]["identifiers"] == 3);
    CHECK(spaces_naming(world, kiosk).empty());
    CHECK(spaces_naming(world, family).empty());
    CHECK(world.exported(cdp::ExportKind::groups).size() == 1);
    // Somebody new may have it.
    CHECK(world.send_one(R"({"type":"identify","userId":"u6","anonymousId":"kiosk",)"
                         R"("messageId":"n1","timestamp":"2026-11-20T15:00:00Z",)"
                         R"("traits":{"plan":"new"}})",
                         till) == "accepted");
    world.restart(tests::open_config());
    CHECK(world.profile("desk", "anonymous_id", "kiosk", "service")["traits"]["plan"]["value"] ==
          "new");
}

TEST_CASE("a person of more events than one commit takes is erased whole") {
    Shop world;
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    constexpr int kEvents = 5'200;
    for (int at = 0; at < kEvents; at += 400) {
        auto batch = json::array();
        for (int i = at; i < at + 400; ++i)
            batch.push_back({{"type", "track"},
                             {"event", "x"},
                             {"userId", "u1"},
                             {"messageId", "b" + std::to_string(i)},
                             {"timestamp", "2026-11-20T10:00:00Z"}});
        world.send(json{{"batch", batch}}.dump(), till);
    }
    const auto dry = erase(world, "user_id", "u1", cdp::ErasureScope::person, /*dry_run=*/true);
    CHECK(dry["erased"]["events"] == kEvents + 3);
    const auto done = erase(world, "user_id", "u1");
    CHECK(done["erased"]["events"] == kEvents + 3);
    std::size_t left = 0;
    REQUIRE(world.store().snapshot()->scan(
        storage::KeyWriter(storage::Space::event, token(world, "user_id", "u1")).str(), "",
        [&](auto, auto) { return ++left > 0; }));
    CHECK(left == 0);
    CHECK(spaces_naming(world, token(world, "user_id", "u1")) == kTombstone);
    CHECK(world.exported(cdp::ExportKind::events).size() == 1);
}

TEST_CASE("what an alias call may have meant goes with who it was said of") {
    Shop world;
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    world.send_one(R"({"type":"alias","userId":"u1","previousId":"old","messageId":"a1",)"
                   R"("timestamp":"2026-11-20T13:00:00Z"})",
                   till);
    // Neither has a member row of its own when nobody was seen under it.
    CHECK(erase(world, "user_id", "old").value("error", "") == "");
    CHECK(erase(world, "user_id", "u1").value("error", "") == "");
    for (const auto* type : {"user_id", "anonymous_id"})
        CHECK(spaces_naming(world, token(world, type, "old")).find('N') == std::string::npos);
    CHECK(world.exported(cdp::ExportKind::persons).size() == 1);
}

TEST_CASE("one identifier is erased whose other meaning goes in an earlier commit") {
    Shop world;
    world.send_one(R"({"type":"alias","userId":"u1","anonymousId":"old","previousId":"old",)"
                   R"("messageId":"a1","timestamp":"2026-11-20T13:00:00Z"})",
                   PlatformWorld::source("till", cdp::Trust::server));
    // With the call the account of that name goes, which nothing else names.
    CHECK(erase(world, "anonymous_id", "old", cdp::ErasureScope::identifier).value("status", "") ==
          "completed");
    for (const auto* type : {"user_id", "anonymous_id"})
        CHECK(spaces_naming(world, token(world, type, "old")).find('N') == std::string::npos);
    CHECK(spaces_naming(world, token(world, "user_id", "u1")).find('N') != std::string::npos);
}

TEST_CASE("what was said on a shared tablet by who is erased goes from the tablet") {
    Shop world;
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    const auto on_tablet = [&](const std::string& rest, const std::string& id) {
        world.send_one(R"({"type":"identify","anonymousId":"kiosk",)" + rest + R"("messageId":")" +
                           id + R"("})",
                       till);
    };
    for (const auto* user : {"u1", "u2", "u3"})
        on_tablet(R"("userId":")" + std::string(user) + R"(","timestamp":"2026-11-19T10:00:00Z",)",
                  std::string("k") + user);
    on_tablet(R"("userId":"u1","timestamp":"2026-11-20T10:00:00Z",)", "k4");
    on_tablet(R"("traits":{"plan":"secret plan"},"timestamp":"2026-11-20T10:01:00Z",)", "k5");
    const auto plans = [&] {
        return world.profile("desk", "anonymous_id", "kiosk", "service")["traits"].dump();
    };
    CHECK(plans().find("secret plan") != std::string::npos);
    REQUIRE(erase(world, "user_id", "u1")["status"] == "completed");
    CHECK(plans().find("secret plan") == std::string::npos);
}

TEST_CASE("a replay of an erased event on an identifier that stays is suppressed") {
    Shop world;
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    const auto on_tablet = [&](const std::string& id, const std::string& user,
                               const std::string& time) {
        json event{{"type", "track"},
                   {"event", "Looked"},
                   {"anonymousId", "kiosk"},
                   {"messageId", id},
                   {"timestamp", "2026-11-20T" + time + ":00Z"}};
        if (!user.empty()) event["userId"] = user;
        return world.send_one(event.dump(), till);
    };
    const std::string seen = "10:01";
    on_tablet("k1", "u2", "08:00");
    on_tablet("k2", "u1", "10:00");
    on_tablet("k3", "", seen);
    REQUIRE(on_tablet("k4", "", "08:01") == "accepted");
    REQUIRE(erase(world, "user_id", "u1")["status"] == "completed");
    const auto left = world.exported(cdp::ExportKind::events).size();

    // Nothing says when and where it was.
    const auto row = world.store().snapshot()->get(
        cdp::dedupe_key(cdp::event_id_of(world.vault(), "till", "k3")));
    REQUIRE((row && *row));
    const auto mark = cdp::decode_seen(**row);
    REQUIRE(mark);
    CHECK(mark->home == cdp::Token{});
    CHECK(mark->time == cdp::Timestamp{});
    CHECK(on_tablet("k3", "", seen) == "suppressed");
    CHECK(on_tablet("k2", "u1", "10:00") == "suppressed");
    CHECK(on_tablet("k4", "", "08:01") == "duplicate");
    world.restart();
    world.clock().advance(std::chrono::days{400});
    CHECK(on_tablet("k3", "", seen) == "suppressed");
    CHECK(world.exported(cdp::ExportKind::events).size() == left);
    // Whoever is at the tablet now is somebody else.
    CHECK(on_tablet("k5", "", seen) == "accepted");
}

TEST_CASE("a rebuild does not bring back who was erased") {
    Shop world;
    REQUIRE(erase(world, "email", "a@shop.example", cdp::ErasureScope::identifier)["status"] ==
            "completed");
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    // Of somebody else, after; and one that names the address with a time before is refused.
    CHECK(world.send_one(R"({"type":"identify","userId":"u2","messageId":"r1","traits":{"email":)"
                         R"("a@shop.example"},"timestamp":"2026-11-19T00:00:00Z"})",
                         till) == "suppressed");
    REQUIRE(erase(world, "user_id", "u2")["status"] == "completed");
    auto scratch = storage::make_memory_store();
    const storage::Vault vault(tests::fixed_keyring());
    const auto config = tests::open_config();
    cdp::Rebuild rebuild({world.store(), world.vault(), *scratch, vault, config, world.clock()},
                         {});
    REQUIRE(rebuild.mend());
    for (const auto& gone :
         {token(world, "email", "a@shop.example"), token(world, "user_id", "u2")})
        CHECK(spaces_naming(world, gone) == kTombstone);
    CHECK(world.exported(cdp::ExportKind::persons).size() == 1);
}

TEST_CASE("nobody is named by what was disclosed of who was erased") {
    Shop world;
    world.consent("email", "a@shop.example", "email_marketing", "withdrawn");
    REQUIRE(erase(world, "user_id", "u1")["status"] == "completed");
    for (std::uint64_t number = 1;; ++number) {
        const auto batch = world.platform().disclosures().batch(number);
        REQUIRE(batch);
        if (!*batch) break;
        for (const auto& row : (*batch)->rows) CHECK(row.subject == cdp::Token{});
        for (std::uint32_t i = 0; i < (*batch)->rows.size(); ++i)
            CHECK(world.platform().disclosures().prove(number, i));
    }
}

TEST_CASE("the best identifier goes and the rest of the person finds another") {
    Shop world;
    const auto done = erase(world, "user_id", "u1", cdp::ErasureScope::identifier);
    CAPTURE(done.dump());
    REQUIRE(done["status"] == "completed");
    // They were joined through the account and by their own link alike.
    const auto persons = world.exported(cdp::ExportKind::persons);
    CHECK(persons.size() == 2);
    for (const auto& person : persons)
        CHECK(person["identifiers"].dump().find("\"u1\"") == std::string::npos);
}

TEST_CASE("somebody unknown is erased like everybody") {
    Shop world;
    const auto done = erase(world, "email", "nobody@shop.example");
    CHECK(done["status"] == "completed");
    for (const auto& [what, count] : done["erased"].items()) CHECK(count == 0);
    CHECK(done["recipients"].empty());
    CHECK(world.send_one(R"({"type":"identify","userId":"u7","messageId":"o1","traits":{"email":)"
                         R"("nobody@shop.example"},"timestamp":"2026-11-19T00:00:00Z"})",
                         PlatformWorld::source("till", cdp::Trust::server)) == "suppressed");
    CHECK(erase(world, "email", "no address")["error"] == "malformed_identifier");
}

TEST_CASE("an erasure that is interrupted anywhere ends erased") {
    for (std::uint64_t commits = 0;; ++commits) {
        auto kept = std::make_unique<tests::FailingStore>();
        auto& store = *kept;
        Shop world(std::move(kept));
        store.commits_left() = commits;
        const auto answer = erase(world, "user_id", "u1");
        store.commits_left() = tests::FailingStore::kNever;
        if (!answer.contains("error")) {
            CHECK(commits >= 3);
            break;
        }
        world.restart(tests::open_config());
        REQUIRE(finish_interrupted(world.platform()));
        // What was not stopped was not asked for; asked again it is done.
        const auto done = erase(world, "user_id", "u1");
        CHECK(done["status"] == "completed");
        CHECK(spaces_naming(world, token(world, "user_id", "u1")) == kTombstone);
        CHECK(spaces_naming(world, token(world, "email", "a@shop.example")) == kTombstone);
    }
}

TEST_CASE(
    "an erasure interrupted among events that are somebody's by a chain goes on with all of them") {
    // Seen before the account was, on a tablet of three: each is theirs by the next one.
    constexpr int kEvents = 1'700;
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    for (std::uint64_t commits = 2; commits < 5; ++commits) {
        auto kept = std::make_unique<tests::FailingStore>();
        auto& store = *kept;
        Shop world(std::move(kept));
        for (const auto* user : {"u1", "u2", "u3"})
            world.send_one(R"({"type":"track","event":"x","anonymousId":"kiosk","userId":")" +
                               std::string(user) + R"(","messageId":"k)" + user +
                               R"(","timestamp":"2026-11-18T10:00:00Z"})",
                           till);
        const auto start = *cdp::parse_time("2026-11-20T08:00:00Z");
        const auto at = [&](int second) {
            return cdp::format_time(start + std::chrono::seconds{second});
        };
        for (int from = 0; from < kEvents; from += 100) {
            auto batch = json::array();
            for (int i = from; i < from + 100; ++i)
                batch.push_back({{"type", "track"},
                                 {"event", "y"},
                                 {"anonymousId", "kiosk"},
                                 {"messageId", "y" + std::to_string(i)},
                                 {"timestamp", at(2 * i)}});
            world.send(json{{"batch", batch}}.dump(), till);
        }
        world.send_one(R"({"type":"track","event":"x","anonymousId":"kiosk","userId":"u1",)"
                       R"("messageId":"last","timestamp":")" +
                           at(2 * kEvents) + R"("})",
                       till);
        store.commits_left() = commits;
        REQUIRE(erase(world, "user_id", "u1").contains("error"));
        store.commits_left() = tests::FailingStore::kNever;
        world.restart(tests::open_config());
        REQUIRE(finish_interrupted(world.platform()));
        // Of the two others.
        CHECK(world.exported(cdp::ExportKind::events).size() == 3);
        CHECK(spaces_naming(world, token(world, "user_id", "u1")) == kTombstone);
    }
}

TEST_CASE("facts that arrive while somebody is erased are before it or after it") {
    {
        const auto seed = GENERATE(tests::seeds(4));
        CAPTURE(seed);
        Shop world;
        std::atomic<bool> going = true;
        std::thread sender([&] {
            for (int i = 0; going; ++i) {
                auto parsed = cdp::parse_body(
                    R"({"type":"identify","userId":"u1","traits":{"email":"a@shop.example","n":)" +
                        std::to_string(i) + R"(},"messageId":"r)" + std::to_string(i) +
                        R"(","timestamp":"2026-11-20T12:00:00Z"})",
                    std::nullopt,
                    world.platform().parse_context(PlatformWorld::source("web"), false));
                std::promise<void> answered;
                world.platform().ingest(PlatformWorld::source("web"), std::move(*parsed),
                                        [&](auto) { answered.set_value(); });
                answered.get_future().wait();
            }
        });
        const auto done = erase(world, "user_id", "u1");
        going = false;
        sender.join();
        CHECK(done["status"] == "completed");
        CHECK(spaces_naming(world, token(world, "user_id", "u1")) == kTombstone);
        CHECK(spaces_naming(world, token(world, "email", "a@shop.example")) == kTombstone);
    }
}
