#include <sstream>

#include "tests/api/world.h"

using tests::World;

namespace {

constexpr const char* kPath = "/v1/identity/simulate";

// Two accounts with one address.
struct Shop : World {
    const std::string& steward = keys.at(cdp::Role::steward);

    Shop() {
        for (const auto* user : {"u1", "u2"})
            receive(R"({"type":"identify","traits":{"email":"a@shop.example"},"userId":")" +
                    std::string(user) + "\"}");
    }
};

constexpr const char* kOneAccountNoMore =
    R"({"rules":{"identifier_types":{"user_id":{"unique":false}}}})";

}  // namespace

TEST_CASE("a simulation answers who would merge") {
    const Shop shop;
    const auto reply = shop.post(kPath, shop.steward, kOneAccountNoMore);
    CHECK(reply.status == 200);
    CHECK(reply.header("content-type") == "application/json");
    CHECK(reply.header("cache-control") == "no-store");
    CHECK(reply.json()["persons"] == nlohmann::json{{"before", 2}, {"after", 1}});
    CHECK(reply.json()["examples"].size() == 1);
    CHECK(shop.post(kPath, shop.steward, "{}").json()["changes"]["merged"] == 0);
}

TEST_CASE("with progress the answer is lines, the last of them the result") {
    const Shop shop;
    const auto reply =
        shop.post("/v1/identity/simulate?progress=true", shop.steward, kOneAccountNoMore);
    CHECK(reply.header("content-type") == "application/x-ndjson");
    std::vector<nlohmann::json> lines;
    std::istringstream body(reply.body);
    for (std::string line; std::getline(body, line);) lines.push_back(nlohmann::json::parse(line));
    REQUIRE(lines.size() >= 2);
    CHECK(lines.front() == nlohmann::json{{"progress", {{"identifiers", 0}, {"changed", 0}}}});
    CHECK(lines.back()["result"] == shop.post(kPath, shop.steward, kOneAccountNoMore).json());
}

TEST_CASE("a simulation that cannot be is refused with the place") {
    const Shop shop;
    struct Row {
        const char* body;
        const char* refusal;
    };
    // clang-format off
    const auto row = GENERATE(values<Row>({
        {"[]", "400 wrong_type"},
        {"{", "400 malformed_json"},
        {R"({"colour":1})", "400 unknown_member /colour"},
        {R"({"rules":1})", "400 wrong_type /rules"},
        {R"({"rules":{"a/b~":{}}})", "400 rules_wrong /rules/a~1b~0"},
        {R"({"rules":{"identifier_types":[]}})", "400 rules_wrong /rules/identifier_types"},
        {R"({"rules":{"identifier_types":{"email":null}}})", "400 rules_wrong /rules/identifier_types/email"},
        {R"({"rules":{"identifier_types":{"person":{}}}})", "400 rules_wrong /rules/identifier_types/person"},
        {R"({"rules":{"identifier_types":{"ios.id":{"unique":1}}}})", "400 rules_wrong /rules/identifier_types/ios.id/unique"},
        {R"({"rules":{"identifier_types":{"email":{"class":null}}}})", "400 rules_wrong /rules/identifier_types/email/class"},
        {R"({"rules":{"identifier_types":{"email":{"class":"assertion"}}}})", "400 rules_wrong /rules/identifier_types/email/class"},
        {R"({"rules":{"identifier_types":{"email":{"limit":18446744073709551615}}}})", "400 rules_wrong /rules/identifier_types/email/limit"},
        {R"({"rules":{"identifier_types":{"email":{"limit":1.5}}}})", "400 rules_wrong /rules/identifier_types/email/limit"},
        {R"({"rules":{"identifier_types":{"email":{"limit_window_days":7}}}})", "400 rules_wrong /rules/identifier_types/email/limit_window_days"},
        {R"({"rules":{"identifier_types":{"email":{"blocked":["a",1]}}}})", "400 rules_wrong /rules/identifier_types/email/blocked/1"},
        {R"({"rules":{"identifier_types":{"email":{"colour":1}}}})", "400 rules_wrong /rules/identifier_types/email/colour"},
        {R"({"sample":{}})", "400 sample_unclear /sample"},
        {R"({"sample":{"part":0.5,"identifiers":[]}})", "400 sample_unclear /sample"},
        {R"({"sample":{"part":0}})", "400 part_out_of_range /sample/part"},
        {R"({"sample":{"part":1.1}})", "400 part_out_of_range /sample/part"},
        {R"({"sample":{"size":1}})", "400 unknown_member /sample/size"},
        {R"({"sample":{"identifiers":[]}})", "400 identifiers_missing /sample/identifiers"},
        {R"({"sample":{"identifiers":[{"type":"email"}]}})", "400 identifier_incomplete /sample/identifiers/0"},
        {R"({"sample":{"identifiers":[{"type":"email","value":1}]}})", "400 wrong_type /sample/identifiers/0/value"},
        {R"({"sample":{"identifiers":[{"type":"fax","value":"1"}]}})", "404 identifier_unknown /sample/identifiers/0"},
        {R"({"examples":101})", "400 examples_out_of_range /examples"},
        {R"({"examples":-1})", "400 examples_out_of_range /examples"},
    }));
    // clang-format on
    CAPTURE(row.body);
    CHECK(shop.post(kPath, shop.steward, row.body).refusal() == row.refusal);
}

TEST_CASE("bad rules are refused with the sentences of a configuration") {
    const Shop shop;
    const auto reply =
        shop.post(kPath, shop.steward, R"({"rules":{"identifier_types":{"user_id":{"limit":2}}}})");
    CHECK(reply.json()["detail"] == "What is unique has a limit of one.");
    CHECK(shop.post("/v1/identity/simulate?progress=maybe", shop.steward, "{}").code() ==
          "progress_unclear");
}

TEST_CASE("a second simulation is told to wait") {
    const Shop shop;
    tests::Reply reply;
    cdp::SimulationRequest running{.types = identity::IdentifierTypes::defaults()};
    // The first is asked within itself, so that it surely runs.
    REQUIRE(shop.platform->simulate({}, running, [&](const identity::Progress&) {
        reply = shop.post(kPath, shop.steward, "{}");
        return true;
    }));
    CHECK(reply.status == 429);
    CHECK(reply.code() == "simulation_running");
    CHECK(reply.header("retry-after") == "1");
}
