#include <algorithm>
#include <set>
#include <tuple>

#include "cdp/erasures.h"
#include "cdp/facts.h"
#include "cdp/privacy.h"
#include "cdp/stewardship.h"
#include "storage/key.h"
#include "tests/cdp/reporting.h"
#include "tests/cdp/retention_world.h"
#include "tests/support/seeds.h"

// What has expired goes, nobody sees it before it does, and people and answers stay what they were.

namespace {

using namespace tests::retention;
using tests::PlatformWorld;

cdp::RetentionRules quarter() {
    return {{What::type, "track", {3, 0}, ""},    {What::type, "identify", {3, 0}, ""},
            {What::type, "alias", {3, 0}, ""},    {What::type, "group", {3, 0}, ""},
            {What::event, "Order*", {12, 0}, ""}, {What::trait, "plan", {1, 0}, ""},
            {What::label, "name", {0, 10}, ""}};
}

// Two that have passed and two that have not.
constexpr const char* kDays[] = {"2026-07-01", "2026-07-02", "2026-11-19", "2026-11-20"};

tests::Call draw(cdp::Random& random, std::size_t serial) {
    return tests::draw_call(random, serial, kDays);
}

// A run is in the ledger too, and a page that lost events to it may be shorter.
tests::Outcome seen_of(PlatformWorld& world) {
    return tests::seen_of(world, {.channels = {{"ads_tool", "advertising"},
                                               {"email_tool", "email_marketing"},
                                               {"desk", "service"}},
                                  .page = 500,
                                  .but = {"ledger_size", "decision"}});
}

// Of what was said of traits, a value that is in use alone outlives its event: when who said it is
// erased, those before do not come back.
void forget_lost_traits(tests::Outcome& whole, const tests::Outcome& less) {
    const auto forget = [](json& object, const json& left) {
        if (!object.contains("traits") || !left.contains("traits")) return;
        auto traits = json::object();
        for (const auto& [name, value] : object["traits"].items())
            if (left["traits"].contains(name)) traits[name] = value;
        object["traits"] = traits;
        if (!object.contains("withheld")) return;
        auto withheld = json::array();
        for (const auto& one : object["withheld"])
            if (std::ranges::find(left["withheld"], one) != left["withheld"].end())
                withheld.push_back(one);
        object["withheld"] = withheld;
    };
    for (std::size_t i = 0; i < whole.answers.size(); ++i) {
        auto answer = json::parse(whole.answers[i]);
        forget(answer, json::parse(less.answers[i]));
        whole.answers[i] = answer.dump();
    }
    std::multiset<std::string> groups;
    for (const auto& line : whole.groups) {
        auto group = json::parse(line);
        for (const auto& other : less.groups)
            if (const auto left = json::parse(other); left["group"] == group["group"])
                forget(group, left);
        groups.insert(group.dump());
    }
    whole.groups = groups;
}

}  // namespace

TEST_CASE("pruned at any moments, in any order, the same facts give the same people and answers",
          "[retention]") {
    const auto seed = GENERATE(tests::seeds(40));
    CAPTURE(seed);
    cdp::Random random(seed);
    const auto config = retaining(quarter());
    auto calls = tests::drawn(random, 40, draw);
    PlatformWorld whole(config);
    tests::tell(whole, calls, [] {});
    const auto expected = seen_of(whole);

    tests::repeat_and_shuffle(calls, random);
    PlatformWorld less(config);
    tests::tell(less, calls, [&] {
        if (random.one_in(8)) pruned(less);
    });
    pruned(less);
    CHECK(tests::first_difference(expected, seen_of(less)) == "");
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
        tests::tell(world, tests::drawn(random, 40, draw), [] {});
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
    const auto calls = tests::drawn(random, 40, draw);
    const auto whom = tests::pick(random, "u", 4);
    const auto scope = random.one_in(2) ? cdp::ErasureScope::person : cdp::ErasureScope::identifier;
    const auto erased = [&](PlatformWorld& world) {
        const auto done = world.platform().privacy().erasures.erase(
            PlatformWorld::officer(), "officer:kim",
            {.type = "user_id", .value = whom, .scope = scope, .reason = "asked"});
        REQUIRE(done);
    };
    PlatformWorld whole(config);
    tests::tell(whole, calls, [] {});
    erased(whole);
    PlatformWorld less(config);
    tests::tell(less, calls, [] {});
    pruned(less);
    erased(less);
    const auto compare = [&] {
        auto expected = seen_of(whole);
        auto seen = seen_of(less);
        forget_lost_traits(expected, seen);
        CHECK(tests::first_difference(expected, seen) == "");
    };
    compare();
    CHECK(differing(less, config) == 0);
    pruned(less);
    CHECK(differing(less, config) == 0);
    pruned(whole);
    CHECK(differing(whole, config) == 0);
    compare();
}

TEST_CASE("what stood before the trait of who is erased comes back from events alone",
          "[retention]") {
    const auto config = retaining({{What::type, "identify", {0, 90}, ""}});
    for (const bool first : {true, false}) {
        CAPTURE(first);
        PlatformWorld world(config);
        for (const auto& [cookie, plan, day] :
             {std::tuple{"c1", "older", "2026-05-01"}, {"c2", "newer", "2026-05-02"}})
            send(world,
                 {{"type", "identify"},
                  {"userId", "u1"},
                  {"anonymousId", cookie},
                  {"traits", {{"plan", plan}}}},
                 plan, day);
        send(world,
             {{"type", "identify"},
              {"userId", "u1"},
              {"anonymousId", "c1"},
              {"traits", {{"tier", "of the older"}}}},
             "tier", "2026-05-01");
        if (first) pruned(world);
        REQUIRE(world.platform().privacy().erasures.erase(PlatformWorld::officer(), "officer:kim",
                                                          {.type = "anonymous_id",
                                                           .value = "c2",
                                                           .scope = cdp::ErasureScope::identifier,
                                                           .reason = "asked"}));
        const auto traits = world.profile("desk", "user_id", "u1", "service")["traits"];
        CHECK(traits["tier"]["value"] == "of the older");
        CHECK(traits.value("plan", json::object()).value("value", "") == (first ? "" : "older"));
        CHECK(differing(world, config) == 0);
    }
}

TEST_CASE("who comes to share a browser later does not change whose an order there was",
          "[retention]") {
    const auto config =
        retaining({{What::type, "track", {3, 0}, ""}, {What::event, "Order*", {12, 0}, ""}});
    const auto orders = [&](const char* run) {
        PlatformWorld world(config);
        const auto visit = [&](const char* user, const char* id, const char* time) {
            send(world,
                 {{"type", "track"}, {"event", "Looked"}, {"userId", user}, {"anonymousId", "c1"}},
                 id, time);
        };
        visit("u1", "t1", "2026-07-01T08:00:00Z");
        visit("u1", "t2", "2026-07-01T12:00:00Z");
        visit("u1", "t3", "2026-07-01T20:00:00Z");
        send(world, {{"type", "track"}, {"event", "Order Completed"}, {"anonymousId", "c1"}}, "o1",
             "2026-07-01T20:10:00Z");
        if (run == std::string("before")) pruned(world);
        visit("u2", "t4", "2026-07-01T20:35:00Z");
        visit("u2", "t5", "2026-11-20T20:00:00Z");
        if (run == std::string("after")) pruned(world);
        CHECK(differing(world, config) == 0);
        std::string found;
        for (const auto* user : {"u1", "u2"}) {
            const auto page = world.timeline("desk", "user_id", user, {.purpose = "service"});
            UNSCOPED_INFO(user << " " << page.dump());
            if (page.dump().find("Order Completed") != std::string::npos) found += user;
        }
        // When it has gone too, nothing is told by the moments beside it.
        if (run == std::string("before")) {
            const auto rows = rows_in(world, storage::Space::event);
            world.clock().set("2027-08-01T00:00:00Z");
            pruned(world);
            CHECK(rows_in(world, storage::Space::event) <= rows);
        }
        return found;
    };
    CHECK(orders("never") == "u1");
    CHECK(orders("after") == "u1");
    CHECK(orders("before") == "u1");
}

TEST_CASE("what lies beside nothing that stays is merged", "[retention]") {
    const auto config =
        retaining({{What::type, "track", {3, 0}, ""}, {What::event, "Order*", {12, 0}, ""}});
    PlatformWorld world(config);
    const json visit{
        {"type", "track"}, {"event", "Looked"}, {"userId", "u1"}, {"anonymousId", "c1"}};
    for (const auto* time : {"01:00", "02:00", "16:00", "17:00"})
        send(world, visit, time, "2026-07-01T" + std::string(time) + ":00Z");
    send(world, {{"type", "track"}, {"event", "Order Completed"}, {"anonymousId", "c1"}}, "o1",
         "2026-07-01T17:10:00Z");
    pruned(world);
    // The order; those within twelve hours of it; one of the others.
    CHECK(rows_in(world, storage::Space::event) == 4);
    world.clock().set("2027-08-01T00:00:00Z");
    pruned(world);
    CHECK(rows_in(world, storage::Space::event) == 2);
    CHECK(differing(world, config) == 0);
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
                               CHECK(event->message_id.empty());
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

TEST_CASE("a report about somebody says until when each datum is kept", "[retention]") {
    const auto config =
        retaining({{What::type, "track", {13, 0}, ""}, {What::trait, "plan", {0, 30}, ""}});
    PlatformWorld world(config);
    send(world,
         {{"type", "identify"}, {"userId", "u1"}, {"traits", {{"plan", "p"}, {"tier", "t"}}}}, "i1",
         "2026-11-01T00:00:00Z");
    send(world, {{"type", "track"}, {"event", "x"}, {"userId", "u1"}}, "t1",
         "2026-11-02T00:00:00Z");
    send(world, {{"type", "track"}, {"event", "x"}, {"userId", "u1"}}, "t2",
         "2020-01-01T00:00:00Z");
    pruned(world);
    const auto report = tests::report(world, "user_id", "u1");
    CHECK(report["retention"] ==
          json{{{"what", "type track"}, {"kept", "13 months"}},
               {{"what", "trait plan"}, {"kept", "30 days"}},
               {{"what", "everything else"}, {"kept", "Until it is erased."}}});
    for (const auto& trait : report["traits"])
        CHECK(trait.value("expires", "") ==
              (trait["name"] == "plan" ? "2026-12-01T00:00:00.000Z" : ""));
    // What has expired is not held.
    REQUIRE(report["events"].size() == 2);
    CHECK(report["events"][0]["expires"] == "2027-12-02T00:00:00.000Z");
    CHECK_FALSE(report["events"][1].contains("expires"));
}
