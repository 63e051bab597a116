#include "tests/api/world.h"

// Officers see what is about to go, and may have it gone at once.

using tests::Reply;
using tests::World;

namespace {

constexpr const char* kRetention = "/v1/privacy/retention";
constexpr const char* kRuns = "/v1/privacy/retention/runs";

}  // namespace

TEST_CASE("retention is for officers and administrators alone") {
    World world;
    for (const auto& [role, key] : world.keys) {
        CAPTURE(to_string(role));
        const bool may = role == cdp::Role::officer || role == cdp::Role::admin;
        CHECK(world.get(kRetention, key).status == (may ? 200 : 403));
        CHECK(world.post(kRuns, key, "{}").status == (may ? 200 : 403));
    }
    CHECK(world.ask("GET", kRetention).status == 401);
    CHECK(world.ask("POST", kRuns, {}, "{}").status == 401);
}

TEST_CASE("without rules nothing is about to go, and a run says that it took nothing") {
    World world;
    const auto& officer = world.keys.at(cdp::Role::officer);
    const auto dry = world.post(kRuns, officer, R"({"dry_run":true})");
    CHECK(dry.json()["result"]["state"] == "completed");
    CHECK(world.get(kRetention, officer).json()["runs"].empty());
    const auto run = world.post(kRuns, officer, "").json()["result"];
    CHECK(run["state"] == "completed");
    CHECK(run["rules"].empty());
    const auto state = world.get(kRetention, officer).json();
    CHECK(state["rules"].empty());
    CHECK(state["next_run"].is_null());
    CHECK(state["runs"] == nlohmann::json::array({run}));
    CHECK(state["next"].is_null());
}

TEST_CASE("what is asked wrongly of retention is named") {
    World world;
    const auto& officer = world.keys.at(cdp::Role::officer);
    const auto run = [&](const char* body) { return world.post(kRuns, officer, body).refusal(); };
    CHECK(run(R"({"dry_run":1})") == "400 wrong_type /dry_run");
    CHECK(run(R"({"dry":true})") == "400 unknown_member /dry");
    CHECK(run("{") == "400 malformed_json");
    const auto read = [&](const std::string& query) {
        return world.get(kRetention + query, officer).refusal();
    };
    CHECK(read("?limit=0").starts_with("400 "));
    CHECK(read("?cursor=zz") == "400 malformed_cursor /cursor");
    CHECK(read("?rule=1").starts_with("400 unknown_parameter"));
}
