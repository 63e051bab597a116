#include <atomic>
#include <future>
#include <string_view>
#include <thread>

#include "cdp/base/log.h"
#include "cdp/rectifications.h"
#include "consent/ledger.h"
#include "tests/cdp/counting_store.h"
#include "tests/cdp/failing_store.h"
#include "tests/cdp/retention_world.h"

// Runs of retention: beside everybody else, interrupted anywhere, told of before and after.

namespace {

using namespace tests::retention;
using tests::PlatformWorld;

}  // namespace

TEST_CASE("a run that is interrupted anywhere is finished by the next", "[retention]") {
    const bool written = GENERATE(false, true);
    CAPTURE(written);
    for (std::uint64_t commits = 0;; ++commits) {
        auto kept = std::make_unique<tests::FailingStore>();
        auto& store = *kept;
        const auto config =
            retaining({{What::type, "track", {0, 90}, ""}, {What::trait, "plan", {0, 90}, ""}});
        PlatformWorld world(config, std::move(kept));
        world.clock().set("2026-06-01T00:00:00Z");
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
        REQUIRE(world.platform().privacy().rectifications.rectify(
            PlatformWorld::officer(), "officer:kim",
            {.type = "user_id", .value = "u1", .traits = {{"plan", "-1"}}, .reason = "asked"}));
        world.clock().set("2026-11-21T12:00:00Z");
        const auto persons = lines(world, cdp::ExportKind::persons);
        store.commits_left() = commits;
        store.loses_answer() = written;
        const auto run = pruned(world);
        store.commits_left() = tests::FailingStore::kNever;
        world.restart(config);
        CAPTURE(commits);
        CHECK(differing(world, config) == 0);
        const bool whole = !run.contains("error");
        // Also when the last word of it was lost.
        const bool ended =
            state(world)["runs"].size() == 1 && state(world)["runs"][0]["state"] == "completed";
        if (!ended) {
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
        CHECK(rows_in(world, storage::Space::trait) == 0);
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

TEST_CASE("of somebody with very many events no more is looked at than of others", "[retention]") {
    auto counting = std::make_unique<tests::CountingStore>();
    auto& reads = counting->reads();
    PlatformWorld world(retaining({{What::type, "track", {0, 90}, ""}}), std::move(counting));
    for (int i = 0; i < 40'000; i += 400) {
        auto batch = json::array();
        for (int n = i; n < i + 400; ++n)
            batch.push_back({{"type", "track"},
                             {"event", "x"},
                             {"userId", "u1"},
                             {"messageId", "b" + std::to_string(n)},
                             {"timestamp", "2026-05-01T00:00:00Z"}});
        world.send(json{{"batch", batch}}.dump(), kTill);
    }
    const auto before = reads;
    CHECK(state(world)["estimated"] == true);
    CHECK(reads - before < 21'000);
    const auto& retentions = world.platform().privacy().retentions;
    CHECK(retentions.dry_run()->pruned[0].events == 40'000);
    // What the server stops for does not go on to its end.
    retentions.stop();
    const auto stopped = retentions.dry_run();
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().reason == "stopping");
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

TEST_CASE("that somebody's run is under way is no failure of the daily one", "[retention]") {
    auto kept = std::make_unique<tests::InterposingStore>();
    auto& store = *kept;
    PlatformWorld world(retaining({{What::type, "track", {0, 90}, ""}}), std::move(kept));
    send(world, {{"type", "track"}, {"event", "x"}, {"userId", "u1"}}, "t1", "2026-01-01");
    std::atomic<int> failures = 0;
    cdp::log::set_sink([&](cdp::log::Level, const char* event, auto) {
        failures += std::string_view(event) == "retention_failed";
    });
    std::promise<void> begun;
    std::promise<void> go_on;
    store.next = [&] {
        begun.set_value();
        go_on.get_future().wait();
    };
    const auto& retentions = world.platform().privacy().retentions;
    std::thread asked([&] { CHECK(retentions.run()); });
    begun.get_future().wait();
    retentions.start();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    go_on.set_value();
    asked.join();
    retentions.stop();
    cdp::log::set_sink(nullptr);
    CHECK(failures == 0);
    CHECK(state(world)["runs"].size() == 1);
}
