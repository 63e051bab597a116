#pragma once

#include "cdp/privacy.h"
#include "cdp/rebuild.h"
#include "cdp/retentions.h"
#include "storage/key.h"
#include "tests/cdp/seen_world.h"
#include "tests/cdp/stewardship_world.h"

// A platform with rules of retention, and what is looked at after a run.
namespace tests::retention {

using nlohmann::json;
using tests::lines;
using What = cdp::RetentionRule::What;

inline cdp::Config retaining(cdp::RetentionRules rules) {
    auto config = tests::open_config();
    config.policy.traits["tier"] = {"commerce"};
    config.policy.traits["place"] = {"behaviour"};
    config.retention = std::move(rules);
    return config;
}

inline json pruned(PlatformWorld& world) {
    const auto run = world.platform().privacy().retentions.run();
    if (!run) return {{"error", run.error().reason}};
    CHECK(run->state == cdp::RetentionRun::State::completed);
    return json::parse(render(*run));
}

inline std::uint64_t gone(const json& run, const std::string& what) {
    std::uint64_t all = 0;
    for (const auto& rule : run.value("rules", json::array()))
        all += rule["pruned"][what].get<std::uint64_t>();
    return all;
}

inline json state(PlatformWorld& world) {
    const auto state = world.platform().privacy().retentions.state({});
    REQUIRE(state);
    return json::parse(*state);
}

inline std::size_t rows_in(PlatformWorld& world, storage::Space space) {
    std::size_t rows = 0;
    REQUIRE(world.store().snapshot()->scan(storage::space_prefix(space), "",
                                           [&](auto, auto) { return ++rows > 0; }));
    return rows;
}

inline std::uint64_t differing(PlatformWorld& world, const cdp::Config& config) {
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

inline const auto kTill = PlatformWorld::source("till", cdp::Trust::server);

inline void send(PlatformWorld& world, json event, const std::string& id, const std::string& time) {
    event["messageId"] = id;
    event["timestamp"] = time;
    CHECK(world.send_one(event.dump(), kTill) == "accepted");
}

}  // namespace tests::retention
