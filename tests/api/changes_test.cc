#include "tests/api/world.h"

using tests::World;

namespace {

// A cookie that became a customer's.
struct Shop : World {
    Shop() {
        for (const auto* event : {R"({"type":"track","event":"A","anonymousId":"a1"})",
                                  R"({"type":"track","event":"A","userId":"u1"})",
                                  R"({"type":"identify","userId":"u1","anonymousId":"a1"})"})
            receive(event);
    }
};

}  // namespace

TEST_CASE("the feed is read by those who run the platform, and by channels") {
    const Shop shop;
    for (const auto role :
         {cdp::Role::steward, cdp::Role::officer, cdp::Role::admin, cdp::Role::channel}) {
        const auto reply = shop.get("/v1/identity/changes", shop.keys.at(role));
        CHECK(reply.status == 200);
        CHECK(reply.header("cache-control") == "no-store");
        const auto body = reply.json();
        REQUIRE(body["changes"].size() == 1);
        CHECK(body["changes"][0]["kind"] == "merged");
        CHECK(body["changes"][0].contains("identifiers") == (role != cdp::Role::channel));
        CHECK(body["next"] == 1);
        CHECK(body["end"] == true);
    }
}

TEST_CASE("a reader of the feed goes on behind what it has") {
    const Shop shop;
    const auto& key = shop.keys.at(cdp::Role::steward);
    CHECK(shop.get("/v1/identity/changes?after=1", key).json()["changes"].empty());
    CHECK(shop.get("/v1/identity/changes?after=latest", key).json()["next"] == 1);
    CHECK(shop.get("/v1/identity/changes?after=0&limit=1", key).json()["changes"].size() == 1);
}

TEST_CASE("a place in the feed that cannot be is refused by name") {
    const Shop shop;
    struct Row {
        const char* target;
        const char* code;
    };
    const auto row = GENERATE(values<Row>({
        {"/v1/identity/changes?after=x", "malformed_cursor"},
        {"/v1/identity/changes?after=2", "version_unknown"},
        {"/v1/identity/changes?limit=0", "malformed_limit"},
    }));
    const auto reply = shop.get(row.target, shop.keys.at(cdp::Role::officer));
    CHECK(reply.status == 400);
    CHECK(reply.code() == row.code);
}
