#include "tests/api/world.h"

using tests::World;

namespace {

struct Company : World {
    const std::string& steward = keys.at(cdp::Role::steward);

    Company() {
        for (const auto* user : {"u1", "u2", "u3"})
            REQUIRE(post("/v1/group", till,
                         R"({"groupId":"acme/1","traits":{"plan":"pro"},)"
                         R"("timestamp":"2026-11-20T10:00:00Z","userId":")" +
                             std::string(user) + "\"}")
                        .status == 200);
    }
};

}  // namespace

TEST_CASE("a group is read with its traits and its members, page by page") {
    const Company company;
    const auto first = company.get("/v1/groups/acme%2F1?limit=2", company.steward);
    CHECK(first.status == 200);
    CHECK(first.header("cache-control") == "no-store");
    CHECK(first.json()["group"] == "acme/1");
    CHECK(first.json()["traits"]["plan"] == nlohmann::json{{"value", "pro"},
                                                           {"time", "2026-11-20T10:00:00.000Z"},
                                                           {"source", "till"}});
    REQUIRE(first.json()["members"].size() == 2);
    CHECK(first.json()["members"][0]["firstSeen"] == "2026-11-20");
    CHECK(first.json()["members"][0]["lastSeen"] == "2026-11-20");

    const auto next = first.json()["next"].get<std::string>();
    const auto second =
        company.get("/v1/groups/acme%2F1?limit=2&cursor=" + next, company.steward).json();
    CHECK(second["members"].size() == 1);
    CHECK(second["next"].is_null());
}

TEST_CASE("a person's groups are read by any identifier and by the person's id") {
    const Company company;
    const auto by_user = company.get("/v1/profiles/user_id:u1/groups", company.steward).json();
    CHECK(by_user["groups"] ==
          nlohmann::json{
              {{"group", "acme/1"}, {"firstSeen", "2026-11-20"}, {"lastSeen", "2026-11-20"}}});
    const auto person = by_user["person"].get<std::string>();
    CHECK(company.get("/v1/profiles/person:" + person + "/groups", company.steward).json() ==
          by_user);
}

TEST_CASE("a read of groups that says nothing readable is refused by name") {
    const Company company;
    struct Row {
        const char* target;
        int status;
        const char* code;
    };
    const auto row = GENERATE(values<Row>({
        {"/v1/groups/nobody", 404, "group_unknown"},
        {"/v1/groups/acme%2F1?limit=0", 400, "malformed_limit"},
        {"/v1/groups/acme%2F1?limit=x", 400, "malformed_limit"},
        {"/v1/groups/acme%2F1?limit=1001", 400, "malformed_limit"},
        {"/v1/groups/acme%2F1?cursor=abc", 400, "malformed_cursor"},
        {"/v1/profiles/u1/groups", 400, "malformed_identifier"},
        {"/v1/profiles/user_id:u9/groups", 404, "person_unknown"},
        {"/v1/profiles/user_id:u1/groups?limit=-1", 400, "malformed_limit"},
        {"/v1/profiles/user_id:u1/groups?cursor=abc", 400, "malformed_cursor"},
    }));
    CAPTURE(row.target);
    const auto reply = company.get(row.target, company.steward);
    CHECK(reply.status == row.status);
    CHECK(reply.code() == row.code);
}

TEST_CASE("no channel reads groups") {
    const Company company;
    for (const auto role : {cdp::Role::channel, cdp::Role::source})
        for (const auto* target : {"/v1/groups/acme%2F1", "/v1/profiles/user_id:u1/groups"})
            CHECK(company.get(target, company.keys.at(role)).status == 403);
}
