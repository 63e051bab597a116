#include "cdp/corrections.h"
#include "cdp/rectifications.h"
#include "tests/cdp/retention_world.h"

// What was put right ends with its time, and what was refused stays so.

namespace {

using namespace tests::retention;
using tests::PlatformWorld;

void rectify(PlatformWorld& world, const std::string& type, const std::string& value,
             const std::string& plan) {
    const auto done = world.platform().privacy().rectifications.rectify(
        PlatformWorld::officer(), "officer:kim",
        {.type = type, .value = value, .traits = {{"plan", plan}}, .reason = "asked"});
    if (!done) FAIL(done.error().reason);
}

cdp::CorrectedTrait corrected(PlatformWorld& world, const std::string& type,
                              const std::string& value) {
    const auto token = world.vault().token(type, value);
    const auto row = cdp::corrected_key(token, world.vault().hash<cdp::TraitName>("trait", "plan"));
    const auto snapshot = world.store().snapshot();
    const auto key = world.vault().find(*snapshot, token);
    const auto sealed = snapshot->get(row);
    REQUIRE((key && *key && sealed && *sealed));
    auto out = cdp::open_corrected(**key, row, **sealed);
    REQUIRE(out);
    return std::move(*out);
}

std::string plan(PlatformWorld& world) {
    return world.profile("desk", "user_id", "u1", "service")["traits"]
        .value("plan", json::object())
        .value("value", "");
}

}  // namespace

TEST_CASE("a corrected value goes when its time is up, and the wrong one stays refused",
          "[retention]") {
    const auto config = retaining({{What::trait, "plan", {0, 30}, ""}});
    PlatformWorld world(config);
    send(world,
         {{"type", "identify"},
          {"userId", "u1"},
          {"anonymousId", "c1"},
          {"traits", {{"plan", "gold"}, {"email", "a@shop.example"}}}},
         "i1", "2026-11-01T00:00:00Z");
    // The address holds nothing else, and no event is filed there.
    rectify(world, "email", "a@shop.example", "\"silver\"");
    CHECK(plan(world) == "silver");
    CHECK(gone(pruned(world), "traits") == 0);
    CHECK(plan(world) == "silver");

    world.clock().set("2026-12-30T00:00:00Z");
    CHECK(plan(world) == "");
    CHECK(state(world)["rules"][0]["due"]["traits"] == 2);
    CHECK(gone(pruned(world), "traits") == 2);
    for (const auto& [type, value] : {std::pair{"user_id", "u1"}, {"email", "a@shop.example"}}) {
        CAPTURE(type);
        const auto left = corrected(world, type, value);
        CHECK_FALSE(left.right);
        CHECK(left.requests.size() == 1);
        CHECK(refuses(left.words, cdp::value_hash(world.vault(), "plan", "\"gold\"")));
    }
    // The address alone is left.
    CHECK(rows_in(world, storage::Space::trait) == 1);
    CHECK(differing(world, config) == 0);

    send(world, {{"type", "identify"}, {"userId", "u1"}, {"traits", {{"plan", "gold"}}}}, "i2",
         "2026-12-29T00:00:00Z");
    CHECK(plan(world) == "");
    send(world, {{"type", "identify"}, {"userId", "u1"}, {"traits", {{"plan", "iron"}}}}, "i3",
         "2026-12-29T00:00:00Z");
    CHECK(plan(world) == "iron");
    CHECK(gone(pruned(world), "traits") == 0);
    CHECK(differing(world, config) == 0);
}

TEST_CASE("a newer value than a corrected one stays when that goes", "[retention]") {
    const auto config = retaining({{What::trait, "plan", {0, 30}, ""}});
    PlatformWorld world(config);
    send(world, {{"type", "identify"}, {"userId", "u1"}, {"traits", {{"plan", "gold"}}}}, "i1",
         "2026-11-01T00:00:00Z");
    rectify(world, "user_id", "u1", "\"silver\"");
    world.clock().set("2026-12-30T00:00:00Z");
    send(world, {{"type", "identify"}, {"userId", "u1"}, {"traits", {{"plan", "iron"}}}}, "i2",
         "2026-12-20T00:00:00Z");
    CHECK(gone(pruned(world), "traits") == 1);
    CHECK_FALSE(corrected(world, "user_id", "u1").right);
    CHECK(plan(world) == "iron");
    CHECK(differing(world, config) == 0);
}
