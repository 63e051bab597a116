#include <sstream>

#include "api/routes.h"
#include "identity/hashed.h"
#include "tests/api/world.h"

// The list of who is never to be contacted again, as it is spoken to; and that no route which a
// channel may ask gives it anything of somebody who is suppressed or restricted.

using tests::Reply;
using tests::World;

namespace {

using nlohmann::json;

constexpr const char* kPath = "/v1/privacy/suppressions";

json item(const std::string& type, const std::string& value, const std::string& reason) {
    return {{"identifier", {{"type", type}, {"value", value}}}, {"reason", reason}};
}

json body_of(std::initializer_list<json> items) {
    return {{"suppressions", json(items)}};
}

struct Shop : World {
    Shop() {
        for (const auto* event :
             {R"({"type":"identify","userId":"u1","anonymousId":"c1","messageId":"m1","traits":)"
              R"({"email":"a@shop.example","firstName":"Ann","plan":"gold"}})",
              R"({"type":"track","event":"Order Completed","userId":"u1","messageId":"m2",)"
              R"("properties":{"revenue":7,"coupon":"c"}})"})
            REQUIRE(post("/v1/batch", till, R"({"batch":[)" + std::string(event) + "]}").status ==
                    200);
        say("email", "a@shop.example", "email_marketing", "granted");
    }
    void say(const std::string& type, const std::string& value, const std::string& purpose,
             const std::string& state) const {
        const json consent{{"identifiers", {{{"type", type}, {"value", value}}}},
                           {"purpose", purpose},
                           {"state", state}};
        REQUIRE(post("/v1/consents", till, json{{"consents", {consent}}}.dump()).status == 200);
    }
    Reply suppress(const json& body) const {
        return post(kPath, keys.at(cdp::Role::officer), body.dump());
    }
    Reply list(const std::string& query = "") const {
        return get(kPath + query, keys.at(cdp::Role::officer));
    }
};

// Asks every route that a channel may ask about u1; how many there were.
template <typename Visit>
int ask_all(const Shop& shop, const Visit& visit) {
    const api::Routes routes(/*metrics_open=*/false);
    const auto& key = shop.keys.at(cdp::Role::channel);
    int asked = 0;
    for (const auto& route : routes.all()) {
        if (route.door != api::Door::key || !route.roles.has(cdp::Role::channel)) continue;
        std::string path(route.path);
        if (const auto open = path.find('{'); open != path.npos)
            path.replace(open, path.find('}') - open + 1, "user_id:u1");
        if (std::ranges::find(route.parameters, "purpose") != route.parameters.end())
            path += "?purpose=email_marketing";
        const auto body = route.method != api::Method::post ? ""
                          : path == "/v1/decisions"
                              ? R"({"questions":[{"identifiers":[{"type":"user_id","value":"u1"}],)"
                                R"("purpose":"email_marketing","fields":["email","plan"]}]})"
                              : R"({"purpose":"email_marketing","identifiers":[{"type":"user_id",)"
                                R"("value":"u1"}]})";
        const auto reply = shop.ask(to_string(route.method), path, World::bearer(key), body);
        CAPTURE(route.path, reply.body);
        CHECK(reply.status < 500);
        visit(reply);
        ++asked;
    }
    return asked;
}

}  // namespace

TEST_CASE("suppressions are made by officers, listed and revoked", "[suppression]") {
    const Shop shop;
    const auto body = body_of(
        {item("email", "a@shop.example", "complaint"), item("email", "nobody", "bounced"),
         item("email", "b@shop.example", "bored"), item("email", "a@shop.example", "complaint")});
    for (const auto role : {cdp::Role::source, cdp::Role::channel, cdp::Role::steward}) {
        CHECK(shop.post(kPath, shop.keys.at(role), body.dump()).status == 403);
        CHECK(shop.get(kPath, shop.keys.at(role)).status == 403);
        CHECK(shop.post(std::string(kPath) + "/00/revoke", shop.keys.at(role), "{}").status == 403);
    }
    CHECK(shop.ask("GET", kPath).status == 401);

    const auto made = shop.suppress(body);
    REQUIRE(made.status == 200);
    const auto verdicts = made.json()["suppressions"];
    REQUIRE(verdicts.size() == 4);
    CHECK(verdicts[0]["verdict"] == "accepted");
    CHECK(verdicts[0]["scope"] == "identifier");
    CHECK(verdicts[1]["verdict"] == "rejected");
    CHECK(verdicts[1]["code"] == "malformed_identifier");
    CHECK(verdicts[1]["pointer"] == "/suppressions/1/identifier/value");
    CHECK(verdicts[2]["code"] == "reason_unknown");
    CHECK(verdicts[2]["pointer"] == "/suppressions/2/reason");
    CHECK(verdicts[3]["verdict"] == "duplicate");
    CHECK(verdicts[3]["id"] == verdicts[0]["id"]);

    const auto page = shop.list("?because=complaint&limit=10").json();
    REQUIRE(page["suppressions"].size() == 1);
    CHECK(page["suppressions"][0]["identifier"]["value"] == "a@shop.example");
    CHECK(page["suppressions"][0]["author"] == "officer:officer");
    CHECK(shop.list("?because=bounced").json()["suppressions"].empty());
    CHECK(shop.list("?identifier=email:a%40shop.example").json()["suppressions"].size() == 1);

    const auto revoke = std::string(kPath) + "/" + verdicts[0]["id"].get<std::string>() + "/revoke";
    const auto& officer = shop.keys.at(cdp::Role::officer);
    CHECK(shop.post(revoke, officer, "{}").refusal() == "400 reason_required /reason");
    const auto revoked = shop.post(revoke, officer, R"({"reason":"it was her neighbour"})");
    REQUIRE(revoked.status == 200);
    CHECK(revoked.json()["status"] == "revoked");
    CHECK(shop.post(revoke, officer, R"({"reason":"again"})").refusal() == "409 already_revoked");
    CHECK(shop.post(std::string(kPath) + "/zz/revoke", officer, R"({"reason":"r"})").refusal() ==
          "404 suppression_unknown");
}

TEST_CASE("what cannot be suppressed says what is wrong with it, and where", "[suppression]") {
    const Shop shop;
    const auto refused = [&](const json& body) { return shop.suppress(body).refusal(); };
    CHECK(refused({}) == "400 wrong_type");
    CHECK(refused(json::object()) == "400 invalid_suppressions /suppressions");
    CHECK(refused({{"suppressions", json::array()}}) == "400 invalid_suppressions /suppressions");
    json many = json::array();
    for (int i = 0; i < 1001; ++i) many.push_back(item("email", "a@shop.example", "other"));
    CHECK(refused({{"suppressions", many}}) == "400 invalid_suppressions /suppressions");
    const auto one = item("email", "a@shop.example", "other");
    const auto with = [&](const char* name, json value) {
        auto changed = one;
        changed[name] = std::move(value);
        return body_of({changed});
    };
    CHECK(refused(with("odd", 1)) == "400 unknown_member /suppressions/0/odd");
    CHECK(refused(with("scope", "all")) == "400 scope_unknown /suppressions/0/scope");
    CHECK(refused(with("reason", "")) == "400 reason_required /suppressions/0/reason");
    CHECK(refused(with("note", "two\nlines")) == "400 malformed_note /suppressions/0/note");
    CHECK(refused(with("identifier", {{"type", "e-mail"}, {"value", "x"}})) ==
          "400 identifier_type_unknown /suppressions/0/identifier/type");
    CHECK(shop.list("?because=bored").refusal() == "400 reason_unknown /because");
    CHECK(shop.list("?identifier=email").refusal() == "400 malformed_identifier /identifier");
    CHECK(shop.list("?cursor=00").refusal() == "400 malformed_cursor /cursor");
    CHECK(shop.list().json()["suppressions"].empty());
}

TEST_CASE("an erasure suppresses as well when it is asked to", "[suppression]") {
    const Shop shop;
    const auto erase = [&](const json& suppress) {
        return shop.post(
            "/v1/privacy/erasures", shop.keys.at(cdp::Role::officer),
            json{{"identifier", {{"type", "user_id"}, {"value", "u1"}}}, {"suppress", suppress}}
                .dump());
    };
    CHECK(erase({{"reason", "bored"}}).refusal() == "400 reason_unknown /suppress/reason");
    CHECK(erase({{"reason", "deceased"}, {"scope", "person"}}).refusal() ==
          "400 unknown_member /suppress/scope");
    CHECK(erase({{"reason", "deceased"}, {"note", "two\nlines"}}).refusal() ==
          "400 malformed_note /suppress/note");
    const auto done = erase({{"reason", "deceased"}, {"note", "from her daughter"}});
    REQUIRE(done.status == 200);
    const auto listed = shop.list().json()["suppressions"];
    REQUIRE(listed.size() == 1);
    CHECK(listed[0]["request"] == done.json()["id"]);
    CHECK(listed[0]["identifier"]["value"].is_null());
    const auto late = shop.post("/v1/batch", shop.till,
                                R"({"batch":[{"type":"track","event":"x","userId":"u1",)"
                                R"("messageId":"m9"}]})");
    CHECK(late.json()["results"][0]["verdict"] == "suppressed");
}

TEST_CASE("no route gives a channel anything of somebody who is suppressed or restricted",
          "[suppression]") {
    for (const bool suppressed : {true, false}) {
        const Shop shop;
        const auto& key = shop.keys.at(cdp::Role::channel);
        REQUIRE(shop.get("/v1/profiles/user_id:u1?purpose=email_marketing", key).body.find("Ann") !=
                std::string::npos);
        if (suppressed)
            REQUIRE(shop.suppress(body_of({item("user_id", "u1", "deceased")})).status == 200);
        else
            shop.say("user_id", "u1", "*", "restricted");
        const auto asked = ask_all(shop, [&](const Reply& reply) {
            for (const auto* what : {"shop.example", "Ann", "gold", "Order Completed", "coupon",
                                     "granted\"", "\"allow\"", "\"u1\""})
                CHECK(reply.body.find(what) == std::string::npos);
        });
        CHECK(asked >= 6);
    }
}

TEST_CASE("no route gives a channel a suppressed address, whatever it is called", "[suppression]") {
    const Shop shop;
    const auto hash = identity::sha256_hex("gift@shop.example");
    for (const auto& event :
         {json{{"type", "identify"},
               {"userId", "u1"},
               {"messageId", "m3"},
               {"traits", {{"lastName", "Gift@shop.example"}, {"title", hash}}}},
          json{{"type", "track"},
               {"event", "Order Completed"},
               {"userId", "u1"},
               {"messageId", "m4"},
               {"properties", {{"coupon", "gift@shop.example"}, {"currency", hash}}}}})
        REQUIRE(shop.post("/v1/batch", shop.till, json{{"batch", {event}}}.dump()).status == 200);
    const auto names = [&](const Reply& reply) {
        return reply.body.find("ift@shop.example") != std::string::npos ||
               reply.body.find(hash) != std::string::npos;
    };
    int named = 0;
    ask_all(shop, [&](const Reply& reply) { named += names(reply) ? 1 : 0; });
    REQUIRE(named >= 3);
    REQUIRE(shop.suppress(body_of({item("email", "gift@shop.example", "bounced")})).status == 200);
    const auto asked = ask_all(shop, [&](const Reply& reply) { CHECK_FALSE(names(reply)); });
    CHECK(asked >= 6);
    CHECK(shop.get("/v1/profiles/user_id:u1?purpose=email_marketing",
                   shop.keys.at(cdp::Role::channel))
              .body.find("Ann") != std::string::npos);
}
