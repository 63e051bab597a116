#include "tests/api/world.h"

using tests::World;

namespace {

struct Shop : World {
    const std::string& steward = keys.at(cdp::Role::steward);

    Shop() {
        for (const auto* event :
             {R"({"type":"identify","userId":"u1","anonymousId":"a1","messageId":"m1",)"
              R"("timestamp":"2026-01-02T10:00:00Z","traits":{"email":"a@shop.example"}})",
              R"({"type":"track","event":"A","userId":"u2","messageId":"m2"})"})
            receive(event);
    }
};

}  // namespace

TEST_CASE("those who run the platform are told why two identifiers are one person") {
    const Shop shop;
    for (const auto role : {cdp::Role::steward, cdp::Role::officer, cdp::Role::admin}) {
        const auto reply = shop.get(
            "/v1/identity/explain?a=anonymous_id:a1&b=email:a%40shop.example", shop.keys.at(role));
        CHECK(reply.status == 200);
        CHECK(reply.header("cache-control") == "no-store");
        const auto body = reply.json();
        CHECK(body["same_person"] == true);
        CHECK(body["a"] == nlohmann::json{{"type", "anonymous_id"}, {"value", "a1"}});
        CHECK(body["b"]["value"] == "a@shop.example");
        CHECK(body["path"][0]["events"][0]["message_id"] == "m1");
    }
}

TEST_CASE("a person's graph is read as it is and as it was") {
    const Shop shop;
    const auto now = shop.get("/v1/profiles/user_id:u1/identity", shop.steward);
    CHECK(now.status == 200);
    CHECK(now.header("cache-control") == "no-store");
    CHECK(now.json()["identifiers"].size() == 3);
    const auto then =
        shop.get("/v1/profiles/user_id:u1/identity?as_of=2999-01-01T00:00:00Z", shop.steward);
    CHECK(then.status == 200);
    CHECK(then.json()["person"] == now.json()["person"]);
    CHECK(then.json()["identifiers"].size() == 3);
}

TEST_CASE("a question of who is who that cannot be answered says which parameter is at fault") {
    const Shop shop;
    struct Row {
        const char* target;
        const char* refusal;
    };
    const auto row = GENERATE(values<Row>({
        {"/v1/identity/explain", "400 malformed_identifier /a"},
        {"/v1/identity/explain?a=user_id:u1", "400 malformed_identifier /b"},
        {"/v1/identity/explain?a=u1&b=user_id:u1", "400 malformed_identifier /a"},
        {"/v1/identity/explain?a=user_id:u1&b=email:nonsense", "400 malformed_identifier /b"},
        {"/v1/identity/explain?a=user_id:u9&b=user_id:u1", "404 person_unknown /a"},
        {"/v1/identity/explain?a=user_id:u1&b=user_id:u9", "404 person_unknown /b"},
        {"/v1/identity/explain?a=user_id:u1&b=person:12", "400 malformed_identifier /b"},
        {"/v1/profiles/u1/identity", "400 malformed_identifier /identifier"},
        {"/v1/profiles/user_id:u9/identity", "404 person_unknown"},
        {"/v1/profiles/user_id:u9/identity?as_of=2026-01-01T00:00:00Z", "404 person_unknown"},
        {"/v1/profiles/user_id:u1/identity?as_of=yesterday", "400 malformed_time /as_of"},
        {"/v1/profiles/user_id:u1/identity?as_of=2026-11-23", "400 malformed_time /as_of"},
        {"/v1/profiles/user_id:u1/identity?as_of=2026-11-23T10:00:00", "400 malformed_time /as_of"},
        {"/v1/profiles/user_id:u1/identity?as_of=2026-11-23%2010:00:00Z",
         "400 malformed_time /as_of"},
        {"/v1/profiles/user_id:u1/identity?as_of=", "400 malformed_time /as_of"},
        {"/v1/profiles/user_id:u1/identity?as_of=2001-01-01T00:00:00Z",
         "404 person_unknown /as_of"},
    }));
    CAPTURE(row.target);
    CHECK(shop.get(row.target, shop.steward).refusal() == row.refusal);
}

TEST_CASE("no channel and no source reads who is who and why") {
    const Shop shop;
    for (const auto role : {cdp::Role::channel, cdp::Role::source})
        for (const auto* target : {"/v1/identity/explain?a=user_id:u1&b=anonymous_id:a1",
                                   "/v1/profiles/user_id:u1/identity"})
            CHECK(shop.get(target, shop.keys.at(role)).status == 403);
}
