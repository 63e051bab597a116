#include "consent/record.h"
#include "tests/api/world.h"

using tests::World;

namespace {

struct Shop : World {
    const std::string& channel = keys.at(cdp::Role::channel);
    const std::string& officer = keys.at(cdp::Role::officer);

    Shop() {
        const auto reply = post("/v1/identify", till,
                                R"({"userId":"u/1","messageId":"m1","traits":)"
                                R"({"email":"a+b@shop.example","firstName":"A"}})");
        REQUIRE(reply.status == 200);
    }
    tests::Reply consent(const std::string& state, const std::string& key,
                         const std::string& headers = {}) const {
        const auto body =
            R"({"consents":[{"identifiers":[{"type":"email","value":"a+b@shop.example"}],)"
            R"("purpose":"email_marketing","state":")" +
            state + "\"}]}";
        return ask("POST", "/v1/consents", World::bearer(key) + headers, body);
    }
    tests::Reply profile() const {
        return get("/v1/profiles/user_id:u%2F1?purpose=email_marketing", channel);
    }
};

}  // namespace

TEST_CASE("a grant opens the profile and a withdrawal closes it at once") {
    const Shop shop;
    CHECK(shop.profile().status == 200);
    CHECK(shop.profile().json()["traits"].empty());
    CHECK(shop.consent("granted", shop.till).status == 200);
    const auto open = shop.profile();
    CHECK(open.json()["traits"]["email"]["value"] == "a+b@shop.example");
    CHECK(open.header("cache-control") == "no-store");
    CHECK(shop.consent("withdrawn", shop.officer).json()["records"].size() == 1);
    CHECK(shop.profile().json()["traits"].empty());
}

TEST_CASE("a plus sign in a path is one") {
    const Shop shop;
    CHECK(shop.get("/v1/profiles/email:a+b@shop.example?purpose=email_marketing", shop.channel)
              .status == 200);
    CHECK(
        shop.get("/v1/profiles/email%3Aa%2Bb%40shop.example?purpose=email_marketing", shop.channel)
            .status == 200);
}

TEST_CASE("consents are for those who can be believed, and stored once") {
    const Shop shop;
    CHECK(shop.consent("granted", shop.keys.at(cdp::Role::source)).status == 403);
    CHECK(shop.consent("granted", shop.channel).status == 403);
    const auto first = shop.consent("granted", shop.till, "Idempotency-Key: k1\r\n");
    const auto again = shop.consent("granted", shop.till, "Idempotency-Key: k1\r\n");
    CHECK(first.json()["records"] == again.json()["records"]);
}

TEST_CASE("a malformed consent names its place") {
    const Shop shop;
    struct Row {
        const char* body;
        const char* pointer;
    };
    const auto row = GENERATE(values<Row>({
        {R"([])", ""},
        {R"({"consents":[]})", "/consents"},
        {R"({"consents":{}})", "/consents"},
        {R"({"consents":[1]})", "/consents/0"},
        {R"({"consents":[{}]})", "/consents/0/identifiers"},
        {R"({"consents":[{"identifiers":[{}]}]})", "/consents/0/identifiers/0"},
        {R"({"consents":[{"identifiers":[{"type":"email","value":7}]}]})",
         "/consents/0/identifiers/0/value"},
        {R"({"identifiers":[{"type":"email","value":"a@shop.example"}]})", "/purpose"},
        {R"({"identifiers":[{"type":"email","value":"a@shop.example"}],"purpose":"x"})", "/state"},
        {R"({"identifiers":[{"type":"email","value":"a@shop.example"}],"purpose":"analytics","state":"granted","time":"soon"})",
         "/time"},
        {R"({"identifiers":[{"type":"email","value":"a@shop.example"}],"purpose":"analytics","state":"granted","channel":"ads_tool"})",
         "/channel"},
        {R"({"identifiers":[{"type":"email","value":"a@shop.example","channel":"x"}],"purpose":"analytics","state":"granted"})",
         "/identifiers/0/channel"},
        {R"({"consents":[{"identifiers":[{"type":"email","value":"a@shop.example"}],"purpose":"analytics","state":"granted","valid_to":"2030-01-01T00:00:00Z"}]})",
         "/consents/0/valid_to"},
        {R"({"consents":[{"identifiers":[{"type":"email","value":"a@shop.example"}],"purpose":"analytics","state":"granted","notice":{"link":"x"}}]})",
         "/consents/0/notice/link"},
        {R"({"consents":[{"identifiers":[{"type":"email","value":"a@shop.example"}],"purpose":"analytics","state":"granted"}],"channels":["ads_tool"]})",
         "/channels"},
        {R"({"identifiers":[{"type":"email","value":"a@shop.example"}],"purpose":"analytics","state":"granted","origin":"client_stamp"})",
         "/origin"},
    }));
    CAPTURE(row.body);
    const auto reply = shop.post("/v1/consents", shop.till, row.body);
    CHECK(reply.status == 400);
    CHECK(reply.json().value("pointer", "") == row.pointer);
}

TEST_CASE("an exported consent can be posted as it is") {
    const Shop shop;
    const auto body = R"({"identifiers":[{"type":"email","value":"a+b@shop.example"}],)"
                      R"("purpose":"email_marketing","state":"granted","scope":"identifier",)"
                      R"("channels":["email_tool"],"time":"2020-01-01T00:00:00Z",)"
                      R"("validUntil":"2090-01-01T00:00:00Z","method":"form",)"
                      R"("notice":{"id":"n","version":"1","hash":"aa"}})";
    REQUIRE(shop.post("/v1/consents", shop.till, body).status == 200);
    const auto line = shop.get("/v1/exports/consents?reason=test", shop.officer).body;
    REQUIRE(line.find("email_tool") != std::string::npos);
    CHECK(shop.post("/v1/consents", shop.officer, line).status == 200);
}

TEST_CASE("an id given to another answer is a conflict") {
    const Shop shop;
    const auto key = "Idempotency-Key: k1\r\n";
    CHECK(shop.consent("granted", shop.till, key).status == 200);
    const auto reply = shop.consent("withdrawn", shop.till, key);
    CHECK(reply.status == 409);
    CHECK(reply.code() == "idempotency_key_reused");
}

TEST_CASE("no more answers and identifiers are read than the platform takes") {
    const Shop shop;
    const auto post = [&](std::size_t answers, std::size_t identifiers) {
        const nlohmann::json mail = {{"type", "email"}, {"value", "a@shop.example"}};
        const nlohmann::json answer = {{"identifiers", nlohmann::json(identifiers, mail)},
                                       {"purpose", "analytics"},
                                       {"state", "granted"},
                                       {"id", "x"}};
        const nlohmann::json body = {{"consents", nlohmann::json(answers, answer)}};
        return shop.post("/v1/consents", shop.till, body.dump()).json().value("pointer", "");
    };
    CHECK(post(1, consent::kAssertedMax).empty());
    CHECK(post(1, consent::kAssertedMax + 1) == "/consents/0/identifiers");
    CHECK(post(cdp::kConsentsMax + 1, 1) == "/consents");
}

TEST_CASE("deep, doubled or broken documents are refused") {
    const Shop shop;
    CHECK(shop.post("/v1/consents", shop.till, std::string(100'000, '[')).code() ==
          "malformed_json");
    CHECK(shop.post("/v1/consents", shop.till, R"({"a":1,"a":2})").code() == "duplicate_key");
    CHECK(shop.post("/v1/keys", shop.keys.at(cdp::Role::admin), "{").code() == "malformed_json");
    CHECK(shop.ask("GET", "/healthz").status == 200);
}

TEST_CASE("a read says for which purpose, about an identifier, with sane limits") {
    const Shop shop;
    struct Row {
        const char* target;
        int status;
        const char* code;
    };
    const auto row = GENERATE(values<Row>({
        {"/v1/profiles/user_id:u%2F1", 400, "purpose_required"},
        {"/v1/profiles/user_id:u%2F1?purpose=", 400, "purpose_required"},
        {"/v1/profiles/user_id?purpose=analytics", 400, "malformed_identifier"},
        {"/v1/profiles/user_id:?purpose=analytics", 400, "malformed_identifier"},
        {"/v1/profiles/:x?purpose=analytics", 400, "malformed_identifier"},
        {"/v1/profiles/user_id:u%2F1/events", 400, "purpose_required"},
        {"/v1/profiles/user_id:u%2F1/events?purpose=email_marketing&limit=0", 400,
         "malformed_limit"},
        {"/v1/profiles/user_id:u%2F1/events?purpose=email_marketing&limit=1001", 400,
         "malformed_limit"},
        {"/v1/profiles/user_id:u%2F1/events?purpose=email_marketing&limit=1x", 400,
         "malformed_limit"},
    }));
    CAPTURE(row.target);
    const auto reply = shop.get(row.target, shop.channel);
    CHECK(reply.status == row.status);
    CHECK(reply.code() == row.code);
}

TEST_CASE("nobody is 404, and a timeline is a page") {
    const Shop shop;
    CHECK(shop.get("/v1/profiles/user_id:nobody?purpose=email_marketing", shop.channel).status ==
          404);
    const auto page = shop.get("/v1/profiles/user_id:u%2F1/events?purpose=email_marketing&limit=10",
                               shop.channel);
    CHECK(page.status == 200);
    CHECK(page.json().contains("next"));
}

TEST_CASE("many profiles come as lines, in the order asked") {
    const Shop shop;
    shop.consent("granted", shop.till);
    nlohmann::json wanted{{"purpose", "email_marketing"}, {"identifiers", nlohmann::json::array()}};
    for (int i = 0; i < 1000; ++i)
        wanted["identifiers"].push_back({{"type", "user_id"}, {"value", i % 2 ? "nobody" : "u/1"}});
    const auto reply = shop.post("/v1/profiles/lookup", shop.channel, wanted.dump());
    CHECK(reply.status == 200);
    CHECK(reply.header("content-type") == "application/x-ndjson");
    CHECK(reply.header("transfer-encoding") == "chunked");
    std::istringstream lines(reply.body);
    std::string line;
    int n = 0;
    for (; std::getline(lines, line); ++n) {
        const auto one = nlohmann::json::parse(line);
        CHECK(one["index"] == n);
        if (n % 2)
            CHECK(one["error"]["status"] == 404);
        else
            CHECK(one["profile"]["traits"]["email"]["value"] == "a+b@shop.example");
    }
    CHECK(n == 1000);

    wanted["identifiers"].push_back({{"type", "user_id"}, {"value", "u"}});
    CHECK(shop.post("/v1/profiles/lookup", shop.channel, wanted.dump()).status == 400);
    CHECK(shop.post("/v1/profiles/lookup", shop.channel, R"({"identifiers":[]})").code() ==
          "purpose_required");
}

TEST_CASE("an HTTP/1.0 client gets a stream that ends with the connection") {
    const Shop shop;
    const std::string body =
        R"({"purpose":"email_marketing","identifiers":[{"type":"user_id","value":"u/1"}]})";
    auto wire = shop.connect();
    wire.send("POST /v1/profiles/lookup HTTP/1.0\r\n" + World::bearer(shop.channel) +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    const auto reply = wire.read();
    CHECK(reply.status == 200);
    CHECK(reply.header("transfer-encoding").empty());
    CHECK(nlohmann::json::parse(reply.body)["index"] == 0);
}

TEST_CASE("keys made over HTTP are in force at once") {
    const Shop shop;
    const auto& admin = shop.keys.at(cdp::Role::admin);
    const auto made =
        shop.post("/v1/keys", admin, R"({"role":"channel","name":"ads","channel":"ads_tool"})");
    REQUIRE(made.status == 201);
    const auto key = made.json()["key"].get<std::string>();
    CHECK(shop.get("/v1/profiles/user_id:u%2F1?purpose=advertising", key).status == 200);
    CHECK(shop.get("/v1/keys", admin).body.find(key) == std::string::npos);
    CHECK(shop.get("/v1/keys", admin).body.find(R"("name":"ads")") != std::string::npos);

    for (const auto* body :
         {R"({"role":"king","name":"x"})", R"({"role":"source","name":"X"})",
          R"({"role":"channel","name":"x"})", R"({"role":"channel","name":"x","channel":"none"})",
          R"({"role":"source","name":"x","trust":"full"})", "[]"})
        CHECK(shop.post("/v1/keys", admin, body).status == 400);
    CHECK(shop.post("/v1/keys", admin, R"({"role":"source","name":"till","trust":"client"})")
              .status == 409);
}

TEST_CASE("exports stream to officers") {
    const Shop shop;
    const auto reply = shop.get("/v1/exports/events?reason=test", shop.officer);
    CHECK(reply.status == 200);
    CHECK(nlohmann::json::parse(reply.body)["userId"] == "u/1");
    CHECK(shop.get("/v1/exports/secrets", shop.officer).status == 404);
}

TEST_CASE("operations answer in their own formats") {
    const Shop shop;
    CHECK(shop.ask("GET", "/readyz").json()["status"] == "ready");
    const auto metrics = shop.ask("GET", "/metrics");
    CHECK(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    CHECK(metrics.body.find("cdp_events_total{verdict=\"accepted\"} 1") != std::string::npos);
    CHECK(metrics.body.find(
              "cdp_http_requests_total{route=\"POST /v1/identify\",status=\"2xx\"} 1") !=
          std::string::npos);
    CHECK(metrics.body.find("shop.example") == std::string::npos);
}
