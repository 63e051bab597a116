#include <set>

#include "cdp/stewardship.h"
#include "tests/api/world.h"

using nlohmann::json;

namespace {

struct Shop : tests::World {
    Shop() {
        for (const auto* event :
             {R"({"type":"track","event":"A","messageId":"m1","userId":"u1","anonymousId":"a1"})",
              R"({"type":"track","event":"A","messageId":"m2","userId":"u2"})"})
            receive(event);
    }

    const std::string& steward = keys.at(cdp::Role::steward);

    std::string person_of(const std::string& identifier) const {
        return get("/v1/profiles/" + identifier + "/groups", steward).json().value("person", "");
    }
    tests::Reply say(const json& body, const std::string& headers = {}) const {
        return ask("POST", "/v1/identity/assertions", bearer(steward) + headers, body.dump());
    }
};

json two(const char* kind, json a, json b) {
    return {{"kind", kind}, {"identifiers", {a, b}}, {"reason", "they called"}};
}

const json kU1{{"type", "user_id"}, {"value", "u1"}};
const json kU2{{"type", "user_id"}, {"value", "u2"}};
const json kA1{{"type", "anonymous_id"}, {"value", "a1"}};

}  // namespace

TEST_CASE("an assertion is in force when it is answered, and out of it when it is revoked") {
    const Shop shop;
    const auto joined = shop.person_of("user_id:u1");
    REQUIRE(joined == shop.person_of("anonymous_id:a1"));

    const auto said = shop.say(two("cannot_link", kU1, kA1));
    REQUIRE(said.status == 201);
    const auto id = said.json()["id"].get<std::string>();
    CHECK(said.json()["author"] == "steward:steward");
    CHECK(said.json()["identifiers"] == json{kU1, kA1});
    CHECK(said.json()["changed"] == 1);
    CHECK(shop.person_of("user_id:u1") != shop.person_of("anonymous_id:a1"));
    CHECK(shop.say(two("cannot_link", kA1, kU1)).status == 200);

    const auto& path = "/v1/identity/assertions/" + id;
    const auto revoked = shop.post(path + "/revoke", shop.steward, R"({"reason":"one person"})");
    REQUIRE(revoked.status == 200);
    CHECK(revoked.json()["status"] == "revoked");
    CHECK(revoked.json()["revoked"]["reason"] == "one person");
    CHECK(shop.person_of("user_id:u1") == joined);
    CHECK(shop.person_of("anonymous_id:a1") == joined);
    CHECK(shop.get(path, shop.steward).json()["revoked"] == revoked.json()["revoked"]);
    CHECK(shop.post(path + "/revoke", shop.steward, R"({"reason":"again"})").code() ==
          "already_revoked");
}

TEST_CASE("assertions are listed newest first, in pages, by kind and by status") {
    const Shop shop;
    const auto id_of = [](const tests::Reply& reply) {
        REQUIRE(reply.status == 201);
        return reply.json()["id"].get<std::string>();
    };
    std::vector<std::string> ids{id_of(shop.say(two("must_link", kU1, kU2)))};
    ids.push_back(id_of(shop.say({{"kind", "block"}, {"identifiers", {kA1}}, {"reason", "x"}})));
    ids.push_back(id_of(shop.say(
        {{"kind", "retract"}, {"source", "till"}, {"from", "2026-01-01"}, {"reason", "x"}})));
    REQUIRE(shop.post("/v1/identity/assertions/" + ids[1] + "/revoke", shop.steward,
                      R"({"reason":"x"})")
                .status == 200);
    const auto listed = [&](const std::string& query) {
        const auto page = shop.get("/v1/identity/assertions" + query, shop.steward).json();
        std::vector<std::string> out;
        for (const auto& one : page["assertions"]) out.push_back(one["id"]);
        return out;
    };
    const auto all = listed("");
    CHECK(std::set(all.begin(), all.end()) == std::set(ids.begin(), ids.end()));
    CHECK(listed("?kind=must_link") == std::vector{ids[0]});
    CHECK(listed("?status=revoked") == std::vector{ids[1]});
    CHECK(listed("?status=standing").size() == 2);

    const auto first = shop.get("/v1/identity/assertions?limit=2", shop.steward).json();
    const auto next = first["next"].get<std::string>();
    CHECK(listed("?limit=2&cursor=" + next) == std::vector{all[2]});
    CHECK(shop.get("/v1/identity/assertions?kind=x", shop.steward).code() == "kind_unknown");
    CHECK(shop.get("/v1/identity/assertions?status=x", shop.steward).code() == "status_unknown");
    CHECK(shop.get("/v1/identity/assertions?cursor=x", shop.steward).code() == "malformed_cursor");
    CHECK(shop.get("/v1/identity/assertions/00", shop.steward).code() == "assertion_unknown");
}

TEST_CASE("an assertion that says nothing readable is refused by name and place") {
    const Shop shop;
    struct Row {
        json body;
        const char* refusal;
    };
    const std::vector<Row> rows{
        {json::array(), "400 wrong_type"},
        {{{"kind", 7}, {"reason", "x"}}, "400 wrong_type /kind"},
        {{{"kind", "block"}, {"why", "x"}}, "400 unknown_member /why"},
        {{{"kind", "block"}, {"identifiers", kU1}, {"reason", "x"}}, "400 wrong_type /identifiers"},
        {{{"kind", "block"},
          {"identifiers", {{{"type", "user_id"}, {"id", "u1"}}}},
          {"reason", "x"}},
         "400 unknown_member /identifiers/0/id"},
        {{{"kind", "block"}, {"identifiers", {"u1"}}, {"reason", "x"}},
         "400 wrong_type /identifiers/0"},
        {{{"kind", "block"}, {"identifiers", {kU1}}}, "400 reason_required /reason"},
        {{{"kind", "retract"},
          {"events", {{{"source", "till"}, {"message_id", "m9"}}}},
          {"reason", "x"}},
         "404 retracts_nothing /events/0"},
        {two("cannot_link", kU1, kU1), "400 same_identifier /identifiers/1"},
        {two("must_link", kU1, {{"type", "user_id"}, {"value", "u9"}}),
         "404 identifier_unknown /identifiers/1"},
    };
    for (const auto& row : rows) {
        const auto reply = shop.say(row.body);
        CAPTURE(row.body.dump(), reply.body);
        CHECK(reply.refusal() == row.refusal);
    }
    REQUIRE(shop.say(two("must_link", kU1, kU2)).status == 201);
    const auto contradiction = shop.say(two("cannot_link", kU2, kU1));
    CHECK(contradiction.status == 409);
    CHECK(contradiction.code() == "contradicts_assertion");
}

TEST_CASE("a repeated request under its key is answered as the first time") {
    const Shop shop;
    const auto first = shop.say(two("must_link", kU1, kU2), "Idempotency-Key: k1\r\n");
    CHECK(first.status == 201);
    const auto again = shop.say(two("must_link", kU1, kU2), "Idempotency-Key: k1\r\n");
    CHECK(again.status == 201);
    CHECK(again.json() == first.json());
    CHECK(shop.say(two("must_link", kU1, kA1), "Idempotency-Key: k1\r\n").code() ==
          "idempotency_key_reused");
}

TEST_CASE("stewards and administrators assert, officers read, nobody else does either") {
    const Shop shop;
    const auto body = two("must_link", kU1, kU2).dump();
    for (const auto& [role, key] : shop.keys) {
        CAPTURE(to_string(role));
        const bool says = role == cdp::Role::steward || role == cdp::Role::admin;
        const bool reads = says || role == cdp::Role::officer;
        CHECK((shop.post("/v1/identity/assertions", key, body).status < 300) == says);
        CHECK(shop.get("/v1/identity/assertions", key).status == (reads ? 200 : 403));
        CHECK((shop.post("/v1/identity/assertions/00/revoke", key, R"({"reason":"x"})").status !=
               403) == says);
    }
}

TEST_CASE("an assertion that contradicts others that stand says so") {
    const Shop shop;
    const auto warnings = [](const tests::Reply& reply) {
        REQUIRE(reply.status < 300);
        return reply.json()["warnings"];
    };
    const auto first = shop.say(two("must_link", kU1, kU2));
    CHECK(warnings(first) == json::array());
    const auto second = shop.say(two("must_link", kU2, kA1));
    CHECK(warnings(second) == json::array());
    const json both{first.json()["id"], second.json()["id"]};
    const json wanted{{{"code", "contradicts_standing"}, {"assertions", both}}};
    const auto cannot = shop.say(two("cannot_link", kU1, kA1));
    CHECK(cannot.status == 201);
    CHECK(warnings(cannot) == wanted);
    const auto again = shop.say(two("cannot_link", kU1, kA1));
    CHECK(again.status == 200);
    CHECK(warnings(again) == wanted);

    const auto path = "/v1/identity/assertions/" + second.json()["id"].get<std::string>();
    REQUIRE(shop.post(path + "/revoke", shop.steward, R"({"reason":"x"})").status == 200);
    CHECK(warnings(shop.say(two("must_link", kU2, kA1))) ==
          json{{{"code", "contradicts_standing"}, {"assertions", {cannot.json()["id"]}}}});
}

TEST_CASE("assertions and revocations beyond a bounded number do not wait but are told to") {
    const Shop shop;
    const auto& stewardship = shop.platform->stewardship();
    const auto revoke = "/v1/identity/assertions/" +
                        shop.say(two("must_link", kU1, kU2)).json()["id"].get<std::string>() +
                        "/revoke";
    std::vector<cdp::Stewardship::Place> places;
    // The first assertion gives its place back when it has been answered.
    while (places.size() < cdp::kWaitingMax)
        if (auto place = stewardship.line_up()) places.push_back(*place);
    CHECK_FALSE(stewardship.line_up());
    for (const auto& reply : {shop.say(two("cannot_link", kU1, kA1)),
                              shop.post(revoke, shop.steward, R"({"reason":"x"})")}) {
        CHECK(reply.status == 503);
        CHECK(reply.code() == "busy");
        CHECK(reply.header("retry-after") == "1");
    }
    CHECK(shop.get("/v1/identity/assertions", shop.steward).json()["assertions"].size() == 1);
    places.resize(places.size() - 2);
    CHECK(shop.say(two("cannot_link", kU1, kA1)).status == 201);
    CHECK(shop.post(revoke, shop.steward, R"({"reason":"x"})").status == 200);
    places.clear();
    CHECK(stewardship.line_up());
}
