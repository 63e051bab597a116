#include <algorithm>
#include <set>
#include <thread>

#include "cdp/erasures.h"
#include "cdp/facts.h"
#include "cdp/privacy.h"
#include "cdp/rebuild.h"
#include "cdp/retentions.h"
#include "cdp/stewardship.h"
#include "consent/ledger.h"
#include "storage/key.h"
#include "tests/cdp/failing_store.h"
#include "tests/cdp/stewardship_world.h"
#include "tests/support/any_order.h"
#include "tests/support/seeds.h"

// What has expired goes, nobody sees it before it does, and people and answers stay what they were.

namespace {

using nlohmann::json;
using tests::PlatformWorld;
using What = cdp::RetentionRule::What;

cdp::Config retaining(cdp::RetentionRules rules) {
    auto config = tests::open_config();
    config.policy.traits["tier"] = {"commerce"};
    config.policy.traits["place"] = {"behaviour"};
    config.retention = std::move(rules);
    return config;
}

cdp::RetentionRules quarter() {
    return {{What::type, "track", {3, 0}, ""},    {What::type, "identify", {3, 0}, ""},
            {What::type, "alias", {3, 0}, ""},    {What::type, "group", {3, 0}, ""},
            {What::event, "Order*", {12, 0}, ""}, {What::trait, "plan", {1, 0}, ""},
            {What::label, "name", {0, 10}, ""}};
}

json pruned(PlatformWorld& world) {
    const auto run = world.platform().privacy().retentions.run();
    if (!run) return {{"error", run.error().reason}};
    CHECK(run->state == cdp::RetentionRun::State::completed);
    return json::parse(render(*run));
}

std::uint64_t gone(const json& run, const std::string& what) {
    std::uint64_t all = 0;
    for (const auto& rule : run["rules"]) all += rule["pruned"][what].get<std::uint64_t>();
    return all;
}

json state(PlatformWorld& world) {
    const auto state = world.platform().privacy().retentions.state({});
    REQUIRE(state);
    return json::parse(*state);
}

std::size_t rows_in(PlatformWorld& world, storage::Space space) {
    std::size_t rows = 0;
    REQUIRE(world.store().snapshot()->scan(storage::space_prefix(space), "",
                                           [&](auto, auto) { return ++rows > 0; }));
    return rows;
}

std::uint64_t differing(PlatformWorld& world, const cdp::Config& config) {
    auto scratch = storage::make_memory_store();
    const storage::Vault vault(tests::fixed_keyring());
    cdp::Rebuild rebuild({world.store(), world.vault(), *scratch, vault, config, world.clock()},
                         {});
    const auto checked = rebuild.check();
    if (!checked) FAIL(checked.error().reason + " " + checked.error().detail);
    for (const auto& fold : checked->found)
        if (fold.all() > 0) UNSCOPED_INFO(fold.fold << " differs in " << fold.all());
    return checked->differed;
}

const auto kTill = PlatformWorld::source("till", cdp::Trust::server);

void send(PlatformWorld& world, json event, const std::string& id, const std::string& time) {
    event["messageId"] = id;
    event["timestamp"] = time;
    CHECK(world.send_one(event.dump(), kTill) == "accepted");
}

struct Call {
    std::string body;
    bool server = false;
};

// Of two days that have passed and two that have not.
Call draw_call(cdp::Random& random, std::size_t serial) {
    static constexpr const char* kDays[] = {"2026-07-01", "2026-07-02", "2026-11-19", "2026-11-20"};
    char time[16];
    std::snprintf(time, sizeof time, "T%02d:%02d:00Z", static_cast<int>(random.below(24)),
                  static_cast<int>(random.below(60)));
    json event{{"messageId", "m" + std::to_string(serial)},
               {"type", "track"},
               {"event", random.one_in(4) ? "Order Completed" : "Looked"},
               {"properties", {{"revenue", serial}, {"name", "a name"}}},
               {"timestamp", std::string(kDays[random.below(4)]) + time}};
    if (random.one_in(2)) event["userId"] = tests::pick(random, "u", 4);
    if (!event.contains("userId") || !random.one_in(3))
        event["anonymousId"] = tests::pick(random, "a", 6);
    if (random.one_in(3)) {
        event["type"] = "identify";
        event["traits"] = {{"plan", tests::pick(random, "plan", 3)},
                           {"tier", tests::pick(random, "tier", 3)},
                           {"email", tests::pick(random, "e", 5) + "@shop.example"}};
    } else if (random.one_in(5)) {
        event["type"] = "group";
        event["groupId"] = tests::pick(random, "g", 2);
        event["traits"] = {{"name", tests::pick(random, "name", 3)}};
    } else if (event.contains("userId") && random.one_in(6)) {
        event["type"] = "alias";
        event["previousId"] =
            random.one_in(2) ? tests::pick(random, "a", 6) : tests::pick(random, "u", 4);
    }
    if (random.one_in(3))
        event["context"]["consent"]["categoryPreferences"] = {
            {"Advertising", random.one_in(2)}, {"Email Marketing", random.one_in(3)}};
    return {event.dump(), random.one_in(3)};
}

struct Outcome {
    std::multiset<std::string> persons, links, consents, groups, events;
    std::vector<std::string> answers;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::multiset<std::string> lines(PlatformWorld& world, cdp::ExportKind kind) {
    std::multiset<std::string> out;
    for (const auto& line : world.exported(kind)) out.insert(line.dump());
    return out;
}

Outcome seen_of(PlatformWorld& world) {
    Outcome outcome{lines(world, cdp::ExportKind::persons),  lines(world, cdp::ExportKind::links),
                    lines(world, cdp::ExportKind::consents), lines(world, cdp::ExportKind::groups),
                    lines(world, cdp::ExportKind::events),   {}};
    // A run is in the ledger too, and a page that lost events to it may be shorter.
    const auto ask = [&](const std::string& type, const std::string& value) {
        for (const auto& [channel, purpose] : {std::pair{"ads_tool", "advertising"},
                                               {"email_tool", "email_marketing"},
                                               {"desk", "service"}}) {
            auto profile = world.profile(channel, type, value, purpose);
            auto page = world.timeline(channel, type, value, {.purpose = purpose, .limit = 500});
            for (auto* answer : {&profile, &page}) {
                answer->erase("ledger_size");
                answer->erase("decision");
                outcome.answers.push_back(answer->dump());
            }
        }
    };
    for (int i = 0; i < 6; ++i) ask("anonymous_id", "a" + std::to_string(i));
    for (int i = 0; i < 4; ++i) ask("user_id", "u" + std::to_string(i));
    for (int i = 0; i < 5; ++i) ask("email", "e" + std::to_string(i) + "@shop.example");
    return outcome;
}

void tell(PlatformWorld& world, const std::vector<Call>& calls, const auto& between) {
    for (const auto& [body, server] : calls) {
        world.send_one(body,
                       PlatformWorld::source(server ? "till" : "web",
                                             server ? cdp::Trust::server : cdp::Trust::client));
        between();
    }
}

std::string first_difference(const Outcome& a, const Outcome& b) {
    const auto missing = [](const auto& x, const auto& y) {
        for (const auto& line : x)
            if (std::ranges::find(y, line) == y.end()) return line;
        return std::string();
    };
    for (const auto part : {&Outcome::persons, &Outcome::links, &Outcome::consents,
                            &Outcome::groups, &Outcome::events})
        if (a.*part != b.*part)
            return missing(a.*part, b.*part) + " / " + missing(b.*part, a.*part);
    for (std::size_t i = 0; i < a.answers.size(); ++i)
        if (a.answers[i] != b.answers[i]) return a.answers[i] + "\n" + b.answers[i];
    return "";
}

}  // namespace

TEST_CASE("pruned at any moments, in any order, the same facts give the same people and answers",
          "[retention]") {
    const auto seed = GENERATE(tests::seeds(40));
    CAPTURE(seed);
    cdp::Random random(seed);
    const auto config = retaining(quarter());
    auto calls = tests::drawn(random, 40, draw_call);
    PlatformWorld whole(config);
    tell(whole, calls, [] {});
    const auto expected = seen_of(whole);

    tests::repeat_and_shuffle(calls, random);
    PlatformWorld less(config);
    tell(less, calls, [&] {
        if (random.one_in(8)) pruned(less);
    });
    pruned(less);
    CHECK(first_difference(expected, seen_of(less)) == "");
    CHECK(differing(less, config) == 0);
    CHECK(rows_in(less, storage::Space::event) <= rows_in(whole, storage::Space::event));
    // Nothing is left to do.
    const auto again = pruned(less);
    for (const auto* what : {"events", "properties", "traits"}) CHECK(gone(again, what) == 0);
}

TEST_CASE("a remnant that is missing is noticed", "[retention]") {
    const auto config = retaining(quarter());
    int noticed = 0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        cdp::Random random(seed);
        PlatformWorld world(config);
        tell(world, tests::drawn(random, 40, draw_call), [] {});
        pruned(world);
        std::string oldest;
        REQUIRE(world.store().snapshot()->scan(storage::space_prefix(storage::Space::event), "",
                                               [&](std::string_view key, auto) {
                                                   oldest = key;
                                                   return true;
                                               }));
        const auto snapshot = world.store().snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        transaction.erase(oldest);
        REQUIRE(storage::commit_and_wait(world.store(), std::move(transaction)).state ==
                storage::CommitState::ok);
        noticed += differing(world, config) > 0;
    }
    CHECK(noticed == 5);
}

TEST_CASE("who is erased after pruning is gone as if nothing had been pruned", "[retention]") {
    const auto seed = GENERATE(tests::seeds(30));
    CAPTURE(seed);
    cdp::Random random(seed);
    const auto config = retaining(quarter());
    const auto calls = tests::drawn(random, 40, draw_call);
    const auto whom = tests::pick(random, "u", 4);
    const auto scope = random.one_in(2) ? cdp::ErasureScope::person : cdp::ErasureScope::identifier;
    const auto erased = [&](PlatformWorld& world) {
        const auto done = world.platform().privacy().erasures.erase(
            PlatformWorld::officer(), "officer:kim",
            {.type = "user_id", .value = whom, .scope = scope, .reason = "asked"});
        REQUIRE(done);
    };
    PlatformWorld whole(config);
    tell(whole, calls, [] {});
    erased(whole);
    PlatformWorld less(config);
    tell(less, calls, [] {});
    pruned(less);
    erased(less);
    CHECK(lines(less, cdp::ExportKind::persons) == lines(whole, cdp::ExportKind::persons));
    CHECK(lines(less, cdp::ExportKind::links) == lines(whole, cdp::ExportKind::links));
    CHECK(differing(less, config) == 0);
    pruned(less);
    CHECK(differing(less, config) == 0);
    pruned(whole);
    CHECK(differing(whole, config) == 0);
}

TEST_CASE("an expired event leaves who was seen together, and nothing else", "[retention]") {
    const auto config =
        retaining({{What::type, "identify", {0, 90}, ""}, {What::type, "track", {0, 90}, ""}});
    PlatformWorld world(config);
    for (int i = 0; i < 5; ++i)
        send(world,
             {{"type", "track"},
              {"event", "Secret Visit"},
              {"userId", "u1"},
              {"anonymousId", "c1"},
              {"properties", {{"revenue", i}}}},
             "t" + std::to_string(i), "2026-05-01T10:0" + std::to_string(i) + ":00Z");
    send(world,
         {{"type", "identify"},
          {"userId", "u1"},
          {"traits", {{"email", "a@shop.example"}, {"tier", "gold"}}}},
         "i1", "2026-05-01T11:00:00Z");
    const auto links = lines(world, cdp::ExportKind::links);
    // Nobody sees them any more, though they are there.
    CHECK(world.exported(cdp::ExportKind::events).empty());
    CHECK(world.timeline("desk", "user_id", "u1", {.purpose = "service"})["events"].empty());
    CHECK(rows_in(world, storage::Space::event) == 6);

    const auto run = pruned(world);
    CHECK(gone(run, "events") == 6);
    // One for those of the browser, one for that of the address.
    CHECK(rows_in(world, storage::Space::event) == 2);
    CHECK(rows_in(world, storage::Space::pointer) == 2);
    CHECK(lines(world, cdp::ExportKind::links) == links);
    const auto token = world.vault().token("user_id", "u1");
    const auto snapshot = world.store().snapshot();
    const auto key = world.vault().find(*snapshot, token);
    REQUIRE((key && *key));
    REQUIRE(snapshot->scan(storage::KeyWriter(storage::Space::event, token).str(), "",
                           [&](std::string_view row, std::string_view sealed) {
                               const auto event =
                                   cdp::decode_event(*storage::Vault::open(**key, row, sealed));
                               REQUIRE(event);
                               CHECK(event->remnant);
                               for (const auto* word : {"Secret", "revenue", "gold", "track"})
                                   CHECK(event->raw.find(word) == std::string::npos);
                               return true;
                           }));
    // A trait without a rule stays; sent again it is a duplicate as long as it always was.
    CHECK(world.profile("desk", "user_id", "u1", "service")["traits"]["tier"]["value"] == "gold");
    CHECK(differing(world, config) == 0);
}

TEST_CASE("a replay of what is gone is a duplicate, and says no more where it was", "[retention]") {
    const auto config = retaining({{What::type, "track", {0, 5}, ""}});
    PlatformWorld world(config);
    const json event{{"type", "track"}, {"event", "x"}, {"userId", "u1"}};
    send(world, event, "t1", "2026-11-10T10:00:00Z");
    send(world, event, "t2", "2026-11-10T11:00:00Z");
    pruned(world);
    CHECK(rows_in(world, storage::Space::event) == 1);
    for (const auto* id : {"t1", "t2"}) {
        auto again = event;
        again["messageId"] = id;
        CHECK(world.send_one(again.dump(), kTill) == "duplicate");
    }
    const auto row = world.store().snapshot()->get(
        cdp::dedupe_key(cdp::event_id_of(world.vault(), "till", "t2")));
    REQUIRE((row && *row));
    CHECK((**row).find(world.vault().token("user_id", "u1").view()) == std::string::npos);
}

TEST_CASE("what is too old when it arrives counts for who is who and is seen by nobody",
          "[retention]") {
    const auto config = retaining({{What::type, "track", {0, 90}, ""}});
    PlatformWorld world(config);
    send(world, {{"type", "track"}, {"event", "x"}, {"userId", "u1"}, {"anonymousId", "c1"}}, "t1",
         "2020-01-01T00:00:00Z");
    CHECK(world.exported(cdp::ExportKind::persons).size() == 1);
    CHECK(world.exported(cdp::ExportKind::events).empty());
    CHECK(gone(pruned(world), "events") == 1);
    CHECK(world.exported(cdp::ExportKind::persons).size() == 1);
}

TEST_CASE("a trait ends with its time, and an older value under another identifier stays away",
          "[retention]") {
    const auto config = retaining({{What::trait, "plan", {0, 30}, ""}});
    PlatformWorld world(config);
    send(world, {{"type", "identify"}, {"anonymousId", "c1"}, {"traits", {{"plan", "old"}}}}, "i1",
         "2026-10-01T00:00:00Z");
    send(world,
         {{"type", "identify"},
          {"userId", "u1"},
          {"anonymousId", "c1"},
          {"traits", {{"plan", "gold"}, {"tier", "t"}, {"email", "a@shop.example"}}}},
         "i2", "2026-11-01T00:00:00Z");
    const auto plan = [&] {
        return world.profile("desk", "user_id", "u1", "service")["traits"]
            .value("plan", json::object())
            .value("value", "");
    };
    world.clock().set("2026-11-30T23:59:59.999Z");
    CHECK(plan() == "gold");
    CHECK(gone(pruned(world), "traits") == 1);  // the older
    CHECK(plan() == "gold");
    CHECK(state(world)["rules"][0]["due_within_30_days"]["traits"] == 1);
    // From a cached answer too, to the millisecond.
    world.clock().set("2026-12-01T00:00:00Z");
    CHECK(plan() == "");
    CHECK(state(world)["rules"][0]["due"]["traits"] == 1);
    CHECK(gone(pruned(world), "traits") == 1);
    CHECK(plan() == "");
    const auto events = world.exported(cdp::ExportKind::events);
    REQUIRE(events.size() == 2);
    for (const auto& event : events) {
        CHECK_FALSE(event["traits"].contains("plan"));
        CHECK(event.dump().find("old") == std::string::npos);
    }
    CHECK(world.profile("desk", "user_id", "u1", "service")["traits"].contains("tier"));
    CHECK(differing(world, config) == 0);
}

TEST_CASE("an address that expires as a trait goes on saying who somebody is", "[retention]") {
    const auto config = retaining({{What::label, "contact.email", {0, 30}, ""}});
    PlatformWorld world(config);
    send(world,
         {{"type", "identify"},
          {"userId", "u1"},
          {"traits", {{"email", "a@shop.example"}, {"email_verified", true}}}},
         "i1", "2026-07-01T00:00:00Z");
    const auto persons = lines(world, cdp::ExportKind::persons);
    const auto links = lines(world, cdp::ExportKind::links);
    CHECK(gone(pruned(world), "traits") == 1);
    CHECK(lines(world, cdp::ExportKind::persons) == persons);
    CHECK(lines(world, cdp::ExportKind::links) == links);
    CHECK_FALSE(world.exported(cdp::ExportKind::events)[0]["traits"].contains("email"));
    CHECK(differing(world, config) == 0);
}

TEST_CASE("a property leaves the event however deep it is, and the event stays", "[retention]") {
    auto config = retaining({{What::label, "secret", {0, 30}, ""}});
    config.policy.labels.push_back({.name = "secret"});
    config.policy.properties["spot"] = {"secret"};
    PlatformWorld world(config);
    send(world,
         {{"type", "track"},
          {"event", "Order Completed"},
          {"userId", "u1"},
          {"properties",
           {{"spot", "here"}, {"revenue", 7}, {"products", {{{"sku", "s"}, {"spot", "there"}}}}}},
          {"context", {{"spot", "everywhere"}, {"ip", "192.0.2.7"}}}},
         "t1", "2026-07-01T00:00:00Z");
    CHECK(world.exported(cdp::ExportKind::events)[0].dump().find("here") == std::string::npos);
    CHECK(gone(pruned(world), "properties") == 3);
    const auto events = world.exported(cdp::ExportKind::events);
    REQUIRE(events.size() == 1);
    CHECK(events[0]["properties"] == json{{"revenue", 7}, {"products", {{{"sku", "s"}}}}});
    CHECK(events[0]["context"] == json{{"ip", "192.0.2.7"}});
    CHECK(differing(world, config) == 0);
}

TEST_CASE("a retraction whose event has expired can be revoked", "[retention]") {
    const auto config = retaining({{What::type, "track", {0, 90}, ""}});
    PlatformWorld world(config);
    const json event{{"type", "track"}, {"event", "x"}, {"userId", "u1"}, {"anonymousId", "c1"}};
    send(world, event, "t0", "2026-05-01T09:00:00Z");
    send(world, event, "t1", "2026-05-02T10:00:00Z");
    auto retract = tests::request("retract");
    retract.events = {{"till", "t0"}, {"till", "t1"}};
    const auto said = tests::say(world, retract);
    CAPTURE(said.dump());
    REQUIRE(said.contains("id"));
    CHECK(world.exported(cdp::ExportKind::persons).size() == 2);
    CHECK(gone(pruned(world), "events") == 2);
    CHECK(world.exported(cdp::ExportKind::persons).size() == 2);
    CHECK(differing(world, config) == 0);
    tests::revoke(world, said["id"]);
    CHECK(world.exported(cdp::ExportKind::persons).size() == 1);
    CHECK(differing(world, config) == 0);
}

TEST_CASE("to retract one of several takes nothing back, also when they have become one",
          "[retention]") {
    const auto config = retaining({{What::type, "track", {0, 90}, ""}});
    PlatformWorld world(config);
    const json event{{"type", "track"}, {"event", "x"}, {"userId", "u1"}, {"anonymousId", "c1"}};
    for (const auto* id : {"t1", "t2", "t3"})
        send(world, event, id, std::string("2026-05-01T0") + id[1] + ":00:00Z");
    pruned(world);
    CHECK(rows_in(world, storage::Space::event) == 1);
    auto retract = tests::request("retract");
    retract.events = {{"till", "t1"}};
    CHECK(tests::say(world, retract).contains("id"));
    CHECK(world.exported(cdp::ExportKind::persons).size() == 1);
    CHECK(differing(world, config) == 0);
}

TEST_CASE("a run that is interrupted anywhere is finished by the next", "[retention]") {
    for (std::uint64_t commits = 0;; ++commits) {
        auto kept = std::make_unique<tests::FailingStore>();
        auto& store = *kept;
        const auto config =
            retaining({{What::type, "track", {0, 90}, ""}, {What::trait, "plan", {0, 90}, ""}});
        PlatformWorld world(config, std::move(kept));
        for (int i = 0; i < 2'300; i += 100) {
            auto batch = json::array();
            for (int n = i; n < i + 100; ++n)
                batch.push_back({{"type", n % 9 ? "track" : "identify"},
                                 {"event", "x"},
                                 {"userId", "u" + std::to_string(n % 3)},
                                 {"anonymousId", "c" + std::to_string(n % 7 + 3 * (n % 3))},
                                 {"traits", {{"plan", n}}},
                                 {"messageId", "b" + std::to_string(n)},
                                 {"timestamp", "2026-05-0" + std::to_string(n % 9 + 1)}});
            world.send(json{{"batch", batch}}.dump(), kTill);
        }
        const auto persons = lines(world, cdp::ExportKind::persons);
        store.commits_left() = commits;
        const auto run = pruned(world);
        store.commits_left() = tests::FailingStore::kNever;
        world.restart(config);
        CAPTURE(commits);
        CHECK(differing(world, config) == 0);
        const bool whole = !run.contains("error");
        if (!whole) {
            const auto rest = pruned(world);
            CHECK(rest["state"] == "completed");
        }
        CHECK(lines(world, cdp::ExportKind::persons) == persons);
        CHECK(differing(world, config) == 0);
        const auto runs = state(world)["runs"];
        REQUIRE(runs.size() == 1);
        CHECK(runs[0]["state"] == "completed");
        CHECK(runs[0]["rules"][0]["pruned"]["events"].get<int>() > 2'000);
        const auto again = pruned(world);
        CHECK(gone(again, "events") + gone(again, "traits") == 0);
        if (whole) {
            CHECK(commits >= 4);
            break;
        }
    }
}

TEST_CASE("facts that arrive while data are pruned are all there", "[retention]") {
    const auto config = retaining({{What::type, "track", {0, 90}, ""}});
    PlatformWorld world(config);
    std::thread sender([&] {
        for (int i = 0; i < 300; ++i)
            CHECK(world.send_one(json{{"type", "track"},
                                      {"event", "x"},
                                      {"userId", "u" + std::to_string(i % 5)},
                                      {"anonymousId", "c" + std::to_string(i % 11)},
                                      {"messageId", "m" + std::to_string(i)},
                                      {"timestamp", i % 2 ? "2026-05-01" : "2026-11-20"}}
                                     .dump(),
                                 kTill) == "accepted");
    });
    for (int i = 0; i < 10; ++i) pruned(world);
    sender.join();
    pruned(world);
    CHECK(world.exported(cdp::ExportKind::events).size() == 150);
    CHECK(differing(world, config) == 0);
}

TEST_CASE("a run is in the ledger with what it took, and in the list of runs", "[retention]") {
    PlatformWorld world(retaining({{What::type, "track", {13, 0}, ""}}));
    send(world, {{"type", "track"}, {"event", "x"}, {"userId", "u1"}}, "t1",
         "2025-10-21T11:59:59Z");
    send(world, {{"type", "track"}, {"event", "x"}, {"userId", "u1"}}, "t2",
         "2025-10-21T12:00:01Z");
    const auto before = state(world);
    CHECK(before["rules"][0]["due"]["events"] == 1);
    CHECK(before["rules"][0]["due_within_30_days"]["events"] == 1);
    CHECK(before["rules"][0]["keep"] == "13 months");
    CHECK(before["estimated"] == false);
    CHECK(before["next_run"] == "2026-11-21T12:00:00.000Z");
    const auto would = world.platform().privacy().retentions.dry_run();
    REQUIRE(would);
    CHECK(would->pruned[0].events == 1);
    CHECK(state(world)["runs"].empty());

    CHECK(gone(pruned(world), "events") == 1);
    const auto after = state(world);
    CHECK(after["rules"][0]["due"]["events"] == 0);
    CHECK(after["next_run"] == "2026-11-22T12:00:00.000Z");
    REQUIRE(after["runs"].size() == 1);
    CHECK(after["runs"][0]["rules"][0]["type"] == "track");
    CHECK(after["runs"][0]["rules"][0]["pruned"]["events"] == 1);
    REQUIRE(world.platform().ledger().publish(world.clock().now()));
    const auto checked = world.platform().check_ledger({});
    REQUIRE(checked);
    CHECK_FALSE(checked->fault);
    // Paged.
    pruned(world);
    pruned(world);
    const auto first = world.platform().privacy().retentions.state({.limit = 2});
    REQUIRE(first);
    const auto page = json::parse(*first);
    CHECK(page["runs"].size() == 2);
    const auto rest = world.platform().privacy().retentions.state(
        {.limit = 2, .cursor = page["next"].get<std::string>()});
    REQUIRE(rest);
    CHECK(json::parse(*rest)["runs"].size() == 1);
    CHECK(json::parse(*rest)["next"].is_null());
}

TEST_CASE("rules that changed end a run that was interrupted", "[retention]") {
    auto kept = std::make_unique<tests::FailingStore>();
    auto& store = *kept;
    PlatformWorld world(retaining({{What::type, "track", {0, 90}, ""}}), std::move(kept));
    send(world, {{"type", "track"}, {"event", "x"}, {"userId", "u1"}}, "t1", "2026-01-01");
    store.commits_left() = 1;
    CHECK(pruned(world).contains("error"));
    store.commits_left() = tests::FailingStore::kNever;
    world.restart(retaining({{What::type, "track", {12, 0}, ""}}));
    CHECK(gone(pruned(world), "events") == 0);
    const auto runs = state(world)["runs"];
    REQUIRE(runs.size() == 2);
    CHECK(runs[1]["state"] == "interrupted");
    CHECK(world.exported(cdp::ExportKind::events).size() == 1);
}

TEST_CASE("of more than is looked at the counts are estimates and say so", "[retention]") {
    PlatformWorld world(retaining({{What::type, "track", {0, 90}, ""}}));
    for (int i = 0; i < 24'000; i += 400) {
        auto batch = json::array();
        for (int n = i; n < i + 400; ++n)
            batch.push_back({{"type", "track"},
                             {"event", "x"},
                             {"userId", "u" + std::to_string(n % 8'000)},
                             {"messageId", "b" + std::to_string(n)},
                             {"timestamp", "2026-05-01T00:00:00Z"}});
        world.send(json{{"batch", batch}}.dump(), kTill);
    }
    const auto known = state(world);
    CHECK(known["estimated"] == true);
    CHECK(known["rules"][0]["due"]["events"].get<double>() == Approx(24'000).epsilon(0.1));
}

TEST_CASE("it runs by itself when it is time", "[retention]") {
    PlatformWorld world(retaining({{What::type, "track", {0, 90}, ""}}));
    send(world, {{"type", "track"}, {"event", "x"}, {"userId", "u1"}}, "t1", "2026-01-01");
    const auto& retentions = world.platform().privacy().retentions;
    retentions.start();
    for (int i = 0; i < 500 && state(world)["runs"].empty(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    for (int i = 0; i < 500 && state(world)["runs"][0]["state"] != "completed"; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    retentions.stop();
    CHECK(state(world)["runs"][0]["rules"][0]["pruned"]["events"] == 1);
    const auto refused = retentions.run();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "stopping");
}
