#include <string>

#include "cdp/facts.h"
#include "tests/cdp/retention_world.h"

// What cannot be read stops nobody else's data from going.

namespace {

using namespace tests::retention;
using tests::PlatformWorld;

void damage(PlatformWorld& world, const std::string& row) {
    const auto snapshot = world.store().snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    transaction.put(row, "not what was written");
    REQUIRE(storage::commit_and_wait(world.store(), std::move(transaction)).state ==
            storage::CommitState::ok);
}

std::string first_row(PlatformWorld& world, storage::Space space, const std::string& user) {
    std::string row;
    const auto prefix = storage::KeyWriter(space, world.vault().token("user_id", user)).str();
    REQUIRE(world.store().snapshot()->scan(prefix, "", [&](std::string_view key, auto) {
        row = key;
        return false;
    }));
    REQUIRE_FALSE(row.empty());
    return row;
}

}  // namespace

TEST_CASE("rows that cannot be read are left and told of, and all others go", "[retention]") {
    const auto config = retaining({{What::type, "track", {0, 90}, ""},
                                   {What::type, "identify", {0, 90}, ""},
                                   {What::trait, "plan", {0, 120}, ""}});
    PlatformWorld world(config);
    for (const auto* who : {"u1", "u2", "u3", "u4"}) {
        send(world, {{"type", "identify"}, {"userId", who}, {"traits", {{"plan", "p"}}}},
             std::string("i-") + who, "2026-05-01T10:00:00Z");
        send(world, {{"type", "track"}, {"event", "x"}, {"userId", who}}, std::string("t-") + who,
             "2026-05-01T11:00:00Z");
    }
    damage(world, first_row(world, storage::Space::event, "u1"));
    damage(world, first_row(world, storage::Space::trait, "u2"));
    damage(world,
           storage::KeyWriter(storage::Space::subject_key, world.vault().token("user_id", "u3"))
               .str());
    // Keys that were used are remembered.
    world.vault().forget(world.vault().token("user_id", "u3"));
    const auto due = state(world);
    CHECK(due["unreadable"] == 3);
    const auto run = pruned(world);
    INFO(run.dump());
    CHECK(run.value("error", "") == "");
    CHECK(run["state"] == "completed");
    CHECK(run["unreadable"] == 3);
    CHECK(gone(run, "events") == 5);
    CHECK(gone(run, "traits") == 2);
    CHECK(state(world)["runs"][0]["unreadable"] == run["unreadable"]);
    const auto again = pruned(world);
    CHECK(gone(again, "events") + gone(again, "traits") == 0);
    CHECK(again["unreadable"] == run["unreadable"]);
    // The ledger's entry of such a run is what is stored.
    REQUIRE(world.platform().ledger().publish(world.clock().now()));
    const auto checked = world.platform().check_ledger({});
    REQUIRE(checked);
    CHECK_FALSE(checked->fault);
}
