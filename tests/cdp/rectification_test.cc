#include <algorithm>
#include <set>
#include <thread>

#include "cdp/json_normal.h"
#include "cdp/rebuild.h"
#include "cdp/rectifications.h"
#include "storage/key.h"
#include "tests/cdp/reporting.h"
#include "tests/cdp/stewardship_world.h"
#include "tests/support/seeds.h"

// What was wrong is put right and stays so, and what is new is taken all the same.

namespace {

using nlohmann::json;
using tests::PlatformWorld;

const auto kTill = PlatformWorld::source("till", cdp::Trust::server);

json rectify(PlatformWorld& world, const std::string& type, const std::string& value,
             const std::map<std::string, std::string>& traits,
             const std::string& reason = "the customer said so") {
    const auto answer = world.platform().privacy().rectifications.rectify(
        PlatformWorld::officer(), "officer:kim",
        {.type = type, .value = value, .traits = traits, .reason = reason});
    if (!answer) return {{"error", answer.error().reason}, {"pointer", answer.error().pointer}};
    return json::parse(*answer);
}

void identify(PlatformWorld& world, const json& who, const json& traits, const std::string& time,
              const std::string& id) {
    json event{{"type", "identify"}, {"messageId", id}, {"traits", traits}, {"timestamp", time}};
    event.update(who);
    REQUIRE(world.send_one(event.dump(), kTill) == "accepted");
}

// As one who may see everything sees it; null when there is none.
json trait(PlatformWorld& world, const std::string& name, const std::string& user = "u1") {
    const auto answer = world.profile("desk", "user_id", user, "service");
    REQUIRE(answer.contains("traits"));
    return answer["traits"].contains(name) ? answer["traits"][name]["value"] : json();
}

struct Desk : PlatformWorld {
    Desk() : PlatformWorld(tests::open_config()) {
        identify(*this, {{"userId", "u1"}, {"anonymousId", "c1"}},
                 {{"plan", "gold"}, {"email", "a@shop.example"}}, "2026-11-20T10:00:00Z", "m1");
    }
};

// Made again from the facts, everything is as it stands.
void check_rebuild(PlatformWorld& world, const cdp::Config& config) {
    world.stop();
    const auto scratch = storage::make_memory_store();
    const storage::Vault vault{tests::fixed_keyring()};
    cdp::Rebuild rebuild({world.store(), world.vault(), *scratch, vault, config, world.clock()},
                         nullptr);
    const auto checked = rebuild.check();
    REQUIRE(checked);
    for (const auto& fold : checked->found) {
        CAPTURE(fold.fold, fold.missing, fold.extra, fold.different);
        CHECK(fold.all() == 0);
    }
    world.restart(config);
}

}  // namespace

TEST_CASE("what was put right is shown, and a device that goes on sending the old does not win") {
    Desk world;
    const auto done = rectify(world, "email", "a@shop.example", {{"plan", "\"silver\""}});
    INFO(done.dump(1));
    CHECK(done["traits"] == json{"plan"});
    CHECK(done["author"] == "officer:kim");
    CHECK(trait(world, "plan") == "silver");
    // Later, under each of the person's identifiers.
    identify(world, {{"userId", "u1"}}, {{"plan", "gold"}}, "2026-11-21T11:59:00Z", "n1");
    identify(world, {{"anonymousId", "c1"}}, {{"plan", "gold"}}, "2026-11-21T11:59:30Z", "n2");
    world.clock().advance(std::chrono::hours(48));
    identify(world, {{"anonymousId", "c1"}}, {{"plan", "gold"}}, "2026-11-23T10:00:00Z", "n3");
    CHECK(trait(world, "plan") == "silver");
    // News is taken, and late news of before is not.
    identify(world, {{"userId", "u1"}}, {{"plan", "bronze"}}, "2026-11-19T10:00:00Z", "n4");
    CHECK(trait(world, "plan") == "silver");
    identify(world, {{"userId", "u1"}}, {{"plan", "platinum"}}, "2026-11-23T11:00:00Z", "n5");
    CHECK(trait(world, "plan") == "platinum");
    identify(world, {{"userId", "u1"}}, {{"plan", "gold"}}, "2026-11-23T11:30:00Z", "n6");
    CHECK(trait(world, "plan") == "platinum");
}

TEST_CASE("whether a browser joined before or after a correction, it does not bring the old back") {
    for (const bool before : {true, false}) {
        Desk world;
        const auto link = [&] {
            identify(world, {{"userId", "u1"}, {"anonymousId", "c2"}}, json::object(),
                     "2026-11-20T10:30:00Z", "n2");
        };
        if (before) link();
        rectify(world, "user_id", "u1", {{"plan", "\"silver\""}});
        identify(world, {{"anonymousId", "c2"}}, {{"plan", "gold"}}, "2026-11-21T11:00:00Z", "n1");
        world.clock().advance(std::chrono::hours(2));
        identify(world, {{"anonymousId", "c2"}}, {{"plan", "gold"}}, "2026-11-21T13:30:00Z", "n3");
        if (!before) link();
        CHECK(trait(world, "plan") == "silver");
        const auto told = tests::report(world, "user_id", "u1");
        for (const auto& one : told["traits"])
            if (one["name"] == "plan") CHECK(one["in_use"] == (one["value"] == "silver"));
        // Of corrections of both the newer decides.
        rectify(world, "anonymous_id", "c2", {{"plan", "\"gold\""}});
        CHECK(trait(world, "plan") == "gold");
        check_rebuild(world, tests::open_config());
        CHECK(trait(world, "plan") == "gold");
    }
}

TEST_CASE("a value that is right again is not refused any more") {
    Desk world;
    rectify(world, "user_id", "u1", {{"plan", "\"silver\""}});
    rectify(world, "user_id", "u1", {{"plan", "\"gold\""}});
    CHECK(trait(world, "plan") == "gold");
    world.clock().advance(std::chrono::hours(2));
    identify(world, {{"userId", "u1"}}, {{"plan", "iron"}}, "2026-11-21T13:00:00Z", "n1");
    identify(world, {{"userId", "u1"}}, {{"plan", "gold"}}, "2026-11-21T13:30:00Z", "n2");
    CHECK(trait(world, "plan") == "gold");
    identify(world, {{"userId", "u1"}}, {{"plan", "silver"}}, "2026-11-21T13:45:00Z", "n3");
    CHECK(trait(world, "plan") == "gold");
}

TEST_CASE("what is removed is gone and does not come back in another spelling") {
    Desk world;
    identify(world, {{"userId", "u1"}}, {{"size", {{"b", 2.0}, {"a", "\u00e9"}}}},
             "2026-11-20T12:00:00Z", "m2");
    rectify(world, "user_id", "u1", {{"size", "null"}});
    CHECK(trait(world, "size").is_null());
    world.send_one(R"({"type":"identify","userId":"u1","messageId":"n1",)"
                   R"("timestamp":"2026-11-21T11:00:00Z","traits":{"size":{"a":"\u00e9", "b":2}}})",
                   kTill);
    CHECK(trait(world, "size").is_null());
    for (const auto& [one, other] : std::map<std::string, std::string>{
             {"[1, 2.50]", "[1.0,25e-1]"}, {R"({"x":1,"y":"é"})", R"({ "y":"\u00e9","x":1.0})"}})
        CHECK(cdp::json::normal(one) == cdp::json::normal(other));
    CHECK(cdp::json::normal("12345678901234567890") == "12345678901234567890");
    CHECK(cdp::json::normal("\"1\"") != cdp::json::normal("1"));
}

TEST_CASE("the answer names who was given the wrong value, and that an identifier stays") {
    Desk world;
    world.consent("email", "a@shop.example", "email_marketing", "granted");
    world.profile("email_tool", "user_id", "u1", "email_marketing");
    const auto done = rectify(world, "user_id", "u1", {{"email", "\"b@shop.example\""}});
    INFO(done.dump(1));
    REQUIRE(done["recipients"].size() == 1);
    CHECK(done["recipients"][0]["channel"] == "email_tool");
    CHECK(done["recipients"][0]["times"] == 1);
    CHECK(done["identifiers_stay"] == json{"email"});
    CHECK(done["ledger"].contains("commitment"));
    const auto& all = world.platform().privacy().rectifications;
    CHECK(json::parse(*all.read(done["id"].get<std::string>()))["recipients"] ==
          done["recipients"]);
    CHECK(json::parse(*all.page({}))["rectifications"].size() == 1);
    CHECK(all.read("00").error().reason == "rectification_unknown");
    const auto told = tests::report(world, "user_id", "u1");
    CHECK(told["corrections"].size() == 3);
    CHECK(told["counts"] == tests::dry_run(world, "user_id", "u1"));
}

TEST_CASE("what cannot be put right is refused, and nothing is written") {
    Desk world;
    const auto refused = [&](const std::map<std::string, std::string>& traits,
                             const std::string& reason = "asked") {
        const auto answer = rectify(world, "user_id", "u1", traits, reason);
        return answer.value("error", "") + " " + answer.value("pointer", "");
    };
    CHECK(refused({}) == "traits_missing /traits");
    CHECK(refused({{"", "1"}}) == "malformed_trait /traits");
    CHECK(refused({{"plan", '"' + std::string(20'000, 'x') + '"'}}) ==
          "value_too_large /traits/plan");
    std::map<std::string, std::string> many;
    for (int i = 0; i <= 50; ++i) many["t" + std::to_string(i)] = "1";
    CHECK(refused(many) == "too_many_traits /traits");
    CHECK(refused({{"plan", "1"}}, " ") == "reason_required /reason");
    CHECK(refused({{"plan", "1"}}, "a\nb") == "malformed_reason /reason");
    CHECK(rectify(world, "user_id", "u9", {{"plan", "1"}})["error"] == "person_unknown");
    CHECK(
        json::parse(*world.platform().privacy().rectifications.page({}))["rectifications"].empty());
    CHECK(trait(world, "plan") == "gold");
}

TEST_CASE("what is put right ever again ends in a refusal, and never in a row that is too long") {
    Desk world;
    // Every browser of hers goes on saying something else.
    constexpr int kBrowsers = 60;
    std::string error;
    int rounds = 0;
    for (; rounds < 120 && error.empty(); ++rounds) {
        for (int n = 0; n < kBrowsers; ++n) {
            const auto said = std::to_string(rounds) + "." + std::to_string(n);
            json device{{"anonymousId", "c" + std::to_string(n)}};
            if (rounds == 0) device["userId"] = "u1";
            identify(world, device, {{"plan", said}}, cdp::format_time(world.clock().now()), said);
        }
        error = rectify(world, "user_id", "u1",
                        {{"plan", '"' + std::string(16'000, 'x') + std::to_string(rounds) + '"'}})
                    .value("error", "");
        world.clock().advance(std::chrono::minutes(1));
    }
    CHECK(error == "corrected_too_often");
    CHECK(rounds > 10);
    CHECK(rectify(world, "user_id", "u1", {{std::string(257, 'n'), "1"}})["error"] ==
          "malformed_trait");
    std::map<std::string, std::string> longest;
    for (int i = 10; i < 60; ++i) longest[std::to_string(i) + std::string(254, 'n')] = "1";
    CHECK(rectify(world, "user_id", "u1", longest).contains("id"));
}

TEST_CASE("a correction survives a merge and a restart, and goes with the person") {
    Desk world;
    rectify(world, "user_id", "u1", {{"plan", "\"silver\""}});
    identify(world, {{"anonymousId", "c2"}}, {{"plan", "gold"}}, "2026-11-19T10:00:00Z", "n1");
    identify(world, {{"userId", "u1"}, {"anonymousId", "c2"}}, json::object(),
             "2026-11-20T10:30:00Z", "n2");
    CHECK(trait(world, "plan") == "silver");
    world.restart(tests::open_config());
    identify(world, {{"userId", "u1"}}, {{"plan", "gold"}}, "2026-11-21T11:00:00Z", "n3");
    CHECK(trait(world, "plan") == "silver");
    REQUIRE(world.platform().privacy().erasures.erase(PlatformWorld::officer(), "officer:kim",
                                                      {.type = "user_id", .value = "u1"}));
    std::size_t left = 0;
    REQUIRE(world.store().snapshot()->scan(storage::space_prefix(storage::Space::corrected), "",
                                           [&](auto, auto) { return ++left > 0; }));
    CHECK(left == 0);
}

TEST_CASE("order and grouping make no difference to what was put right", "[seeds]") {
    const auto seed = GENERATE(tests::seeds(6));
    CAPTURE(seed);
    cdp::Random random(seed);
    const auto config = tests::open_config();
    PlatformWorld world(config);
    const auto sent = tests::random_events(random, 40);
    tests::send(world, sent);
    for (int round = 0; round < 4; ++round) {
        const auto subject = tests::random_subject(random, world);
        // Values that events send, too.
        rectify(
            world, subject.type, subject.value,
            {{"plan", random.one_in(4) ? "null" : '"' + std::to_string(random.below(40)) + '"'}});
        for (const auto& more : tests::random_events(random, 10)) {
            auto again = more;
            again.event["messageId"] =
                "r" + std::to_string(round) + more.event["messageId"].get<std::string>();
            if (random.one_in(2))
                again.event["timestamp"] = cdp::format_time(
                    world.clock().now() - std::chrono::minutes(random.below(3 * 24 * 60)));
            tests::send(world, again);
        }
        world.clock().advance(std::chrono::hours(24));
    }
    check_rebuild(world, config);
}

TEST_CASE("a correction that nobody can read any more keeps nothing from being made again") {
    Desk world;
    rectify(world, "user_id", "u1", {{"plan", "\"silver\""}});
    const auto snapshot = world.store().snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    transaction.put(cdp::corrected_key(world.vault().token("user_id", "u9"),
                                       world.vault().hash<cdp::TraitName>("trait", "plan")),
                    "sealed under a key that is gone");
    REQUIRE(commit_and_wait(world.store(), std::move(transaction)).state ==
            storage::CommitState::ok);
    check_rebuild(world, tests::open_config());
    CHECK(trait(world, "plan") == "silver");
}

TEST_CASE("an event that races with a correction does not bring the old value back") {
    // Between the event's reads and its commit; under an identifier that holds nothing yet, too.
    for (const auto& who : {json{{"userId", "u1"}}, json{{"anonymousId", "c1"}}}) {
        auto store = std::make_unique<tests::InterposingStore>();
        auto& interposed = *store;
        PlatformWorld world(tests::open_config(), std::move(store));
        identify(world, {{"userId", "u1"}, {"anonymousId", "c1"}}, {{"plan", "gold"}},
                 "2026-11-20T10:00:00Z", "m1");
        interposed.next = [&] {
            CHECK(rectify(world, "user_id", "u1", {{"plan", "\"silver\""}}).contains("id"));
        };
        identify(world, who, {{"plan", "gold"}}, "2026-11-21T11:59:59Z", "n1");
        identify(world, who, {{"plan", "gold"}}, "2026-11-21T12:00:00Z", "n2");
        CHECK(trait(world, "plan") == "silver");
        // And between a correction's.
        interposed.next = [&] {
            identify(world, who, {{"plan", "bronze"}}, "2026-11-21T12:00:00Z", "n3");
        };
        CHECK(rectify(world, "user_id", "u1", {{"plan", "\"iron\""}}).contains("id"));
        CHECK(trait(world, "plan") == "iron");
    }
}

TEST_CASE("the same request is done once") {
    Desk world;
    const auto& all = world.platform().privacy().rectifications;
    const cdp::RectificationRequest request{.type = "user_id",
                                            .value = "u1",
                                            .traits = {{"plan", "\"silver\""}},
                                            .reason = "asked",
                                            .id = cdp::PrivacyRequestId::from("0123456789abcdef")};
    const auto first = all.rectify(PlatformWorld::officer(), "cdp", request);
    REQUIRE(first);
    world.clock().advance(std::chrono::hours(1));
    const auto second = all.rectify(PlatformWorld::officer(), "cdp", request);
    REQUIRE(second);
    CHECK(json::parse(*first)["time"] == json::parse(*second)["time"]);
}
