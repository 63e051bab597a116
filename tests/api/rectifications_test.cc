#include "tests/api/world.h"

// Rectifications over HTTP: who may ask for them, and what is refused.

namespace {

using cdp::Role;
using tests::World;

constexpr const char* kPath = "/v1/privacy/rectifications";
constexpr const char* kGood =
    R"({"identifier":{"type":"user_id","value":"u1"},"traits":{"plan":"silver"},"reason":"asked"})";

}  // namespace

TEST_CASE("a rectification is answered and listed") {
    const World world;
    world.receive(R"({"type":"identify","userId":"u1","messageId":"m1","traits":{"plan":"gold"}})");
    const auto& officer = world.keys.at(Role::officer);
    const auto done = world.post(kPath, officer, kGood);
    REQUIRE(done.status == 200);
    CHECK(done.json()["traits"] == nlohmann::json{"plan"});
    CHECK(done.json()["author"] == "officer:officer");
    const auto id = done.json()["id"].get<std::string>();
    CHECK(world.get(kPath + ("/" + id), officer).json()["id"] == id);
    CHECK(world.get(kPath, officer).json()["rectifications"].size() == 1);
    CHECK(world.get(std::string(kPath) + "/00", officer).refusal() == "404 rectification_unknown");
    CHECK(world.get(std::string(kPath) + "?cursor=xx", officer).refusal() ==
          "400 malformed_cursor /cursor");
    const auto looked = world.get("/v1/audit/access?subject=user_id:u1", officer).body;
    CHECK(looked.find("POST /v1/privacy/rectifications") != looked.npos);
    for (const auto role : {Role::source, Role::channel, Role::steward})
        CHECK(world.post(kPath, world.keys.at(role), kGood).status == 403);
}

TEST_CASE("what a rectification lacks is named") {
    const World world;
    world.receive(R"({"type":"identify","userId":"u1","messageId":"m1","traits":{"plan":"gold"}})");
    const auto refusal = [&](const std::string& body) {
        return world.post(kPath, world.keys.at(Role::officer), body).refusal();
    };
    const std::string named = R"({"identifier":{"type":"user_id","value":"u1"})";
    CHECK(refusal("{}") == "400 identifier_missing /identifier");
    CHECK(refusal(named + "}") == "400 reason_required /reason");
    CHECK(refusal(named + R"(,"reason":"asked"})") == "400 traits_missing /traits");
    CHECK(refusal(named + R"(,"reason":"asked","traits":[]})") == "400 wrong_type /traits");
    CHECK(refusal(named + R"(,"reason":"asked","trait":{}})") == "400 unknown_member /trait");
    CHECK(refusal(
              R"({"identifier":{"type":"user_id","value":"u2"},"traits":{"a":1},"reason":"x"})") ==
          "404 person_unknown");
    CHECK(refusal(R"({"identifier":{"type":"email","value":"x"},"traits":{"a":1},"reason":"x"})") ==
          "400 malformed_identifier /identifier");
}
