#include "tests/api/world.h"

using tests::World;

namespace {

std::string event(const std::string& type, const std::string& id) {
    return R"({"type":")" + type +
           R"(","userId":"u1","previousId":"a1","groupId":"g1","event":"x",)" +
           R"("name":"x","messageId":")" + id + "\"}";
}

std::string base64(const std::string& text) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 3) {
        unsigned bits = 0;
        for (std::size_t j = 0; j < 3; ++j)
            bits = bits << 8 | (i + j < text.size() ? static_cast<std::uint8_t>(text[i + j]) : 0u);
        for (std::size_t j = 0; j < 4; ++j)
            out += i + j > text.size() ? '=' : digits[bits >> (18 - 6 * j) & 63];
    }
    return out;
}

}  // namespace

TEST_CASE("every path that SDKs post to takes events") {
    World world;
    int n = 0;
    for (const std::string type : {"identify", "track", "page", "screen", "group", "alias"})
        for (const auto& path : {"/v1/" + type, "/v1/" + type.substr(0, 1), "/api/s/" + type,
                                 "/api/s/s2s/" + type, "/v1/" + type + "/"}) {
            CAPTURE(path);
            const auto reply = world.post(path, world.till, event(type, "m" + std::to_string(++n)));
            CHECK(reply.status == 200);
            CHECK(reply.json()["results"][0]["verdict"] == "accepted");
            CHECK(reply.json().contains("ok") == path.starts_with("/api/"));
        }
    for (const std::string path : {"/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"}) {
        CAPTURE(path);
        const auto body = R"({"batch":[)" + event("track", "b" + std::to_string(++n)) + "]}";
        CHECK(world.post(path, world.till, body).json()["results"][0]["verdict"] == "accepted");
    }
    CHECK(world.accepted() == static_cast<std::uint64_t>(n));
}

TEST_CASE("the first place that has a key decides") {
    World world;
    const auto& key = world.till;
    const std::string wrong = "c000000000000000000000000";
    const auto basic = [](const std::string& user) {
        return "Authorization: Basic " + base64(user) + "\r\n";
    };
    struct Row {
        std::string headers, query, body_key;
        int status;
    };
    const std::vector<Row> rows{
        {basic(key + ":"), "", "", 200},
        {basic(key + ":password"), "", "", 200},
        {basic(key), "", "", 200},
        {"authorization: bearer " + key + "\r\n", "", "", 200},
        {"X-Write-Key: " + key + "\r\n", "", "", 200},
        {"", "?writeKey=" + key, "", 200},
        {"", "", key, 200},
        {basic(key + ":"), "?writeKey=" + wrong, wrong, 200},
        {"X-Write-Key: " + key + "\r\n", "", "id:***", 200},
        {"X-Write-Key: " + key + "\r\n", "?writeKey=" + wrong, "", 200},
        {"", "?writeKey=" + key, wrong, 200},
        {basic(wrong + ":"), "?writeKey=" + key, key, 401},
        {basic(""), "", key, 401},
        {"Authorization: Digest x\r\n", "", key, 401},
        {"Authorization: \r\n", "", key, 401},
        {"X-Write-Key: " + wrong + "\r\n", "", key, 401},
        {"", "?writeKey=", key, 401},
        {"", "", wrong, 401},
        {"", "", "", 401},
    };
    int n = 0;
    for (const auto& row : rows) {
        CAPTURE(row.headers, row.query, row.body_key);
        auto body = event("track", "k" + std::to_string(++n));
        if (!row.body_key.empty()) body.insert(1, R"("writeKey":")" + row.body_key + R"(",)");
        const auto reply = world.ask("POST", "/v1/t" + row.query, row.headers, body);
        CHECK(reply.status == row.status);
        if (row.status == 401) CHECK(reply.header("www-authenticate") == "Bearer");
    }
}

TEST_CASE("the type of the content is not asked for") {
    World world;
    int n = 0;
    for (const std::string type :
         {"application/json", "text/plain", "application/x-www-form-urlencoded",
          "application/json;charset=UTF-8", "image/png"})
        CHECK(world
                  .ask("POST", "/v1/t",
                       World::bearer(world.till) + "Content-Type: " + type + "\r\n",
                       event("track", "t" + std::to_string(++n)))
                  .status == 200);
}

TEST_CASE("gzip bodies are taken, others refused") {
    World world;
    const auto post = [&](const std::string& coding, const std::string& body) {
        return world.ask("POST", "/v1/t",
                         World::bearer(world.till) + "Content-Encoding: " + coding + "\r\n", body);
    };
    const auto packed = tests::gzip(event("track", "z1"));
    CHECK(post("gzip", packed).status == 200);
    CHECK(post("identity", event("track", "z2")).status == 200);
    CHECK(post("gzip", packed.substr(0, 30)).code() == "malformed_gzip");
    const auto twice = post("gzip, gzip", packed);
    CHECK(twice.status == 415);
    CHECK(twice.header("accept-encoding") == "gzip");
    CHECK(post("br", packed).status == 415);
    CHECK(post("gzip\r\nContent-Encoding: gzip", packed).status == 415);
    CHECK(post("gzip", tests::gzip(std::string(cdp::kBodyBytesMax + 1, ' '))).status == 400);
}

TEST_CASE("one bad event fails alone, not its batch") {
    World world;
    const auto body = R"({"batch":[)" + event("track", "m1") + R"(,{"type":"track","event":"x"},)" +
                      event("track", "m1") + R"(,{"type":"nonsense","userId":"u"}]})";
    const auto reply = world.post("/v1/batch", world.till, body);
    CHECK(reply.status == 200);
    const auto results = reply.json()["results"];
    REQUIRE(results.size() == 4);
    CHECK(results[0]["verdict"] == "accepted");
    CHECK(results[1]["verdict"] == "rejected");
    CHECK(results[1]["pointer"].get<std::string>().starts_with("/batch/1"));
    CHECK(results[1].contains("code"));
    CHECK(results[2]["verdict"] == "duplicate");
    CHECK(results[3]["verdict"] == "rejected");

    const auto alone = world.post("/v1/track", world.till, R"({"event":"x"})");
    CHECK(alone.status == 400);
    CHECK(alone.header("content-type") == "application/problem+json");
    CHECK_FALSE(alone.code().empty());
}

TEST_CASE("a body that is no list of events is refused whole") {
    World world;
    for (const std::string body : {"[]", "{", "null", "{} {}", R"({"batch":{}})"}) {
        CAPTURE(body);
        CHECK(world.post("/v1/batch", world.till, body).status == 400);
    }
    CHECK(world.post("/v1/batch", world.till, "").status == 400);
    std::string many = R"({"batch":[)";
    for (std::size_t i = 0; i <= cdp::kBatchEventsMax; ++i) many += i ? ",{}" : "{}";
    CHECK(world.post("/v1/batch", world.till, many + "]}").status == 400);
}

TEST_CASE("a page can read every answer, refusals too") {
    World world;
    const std::string origin = "Origin: https://shop.example\r\n";
    const auto check = [](const tests::Reply& reply) {
        CHECK(reply.header("access-control-allow-origin") == "https://shop.example");
        CHECK(reply.header("vary") == "Origin");
        CHECK(reply.header("access-control-expose-headers") == "Retry-After, X-RateLimit-Reset");
    };
    check(world.ask("POST", "/v1/t", origin + World::bearer(world.till), event("track", "m")));
    check(world.ask("POST", "/v1/t", origin, event("track", "m")));
    check(world.ask("POST", "/v1/t", origin + World::bearer(world.till), "{"));
    check(world.ask("GET", "/v1/t", origin));
    check(world.ask("GET", "/v1/projects/nokey/settings", origin));
    check(world.ask("GET", "/nowhere", origin));
    CHECK(world.ask("POST", "/v1/t").header("access-control-allow-origin") == "*");
    CHECK(
        world.ask("POST", "/beacon/v1/batch", origin).header("access-control-allow-credentials") ==
        "true");
    CHECK(
        world.ask("GET", "/v1/profiles/a:b", origin).header("access-control-allow-origin").empty());

    const auto preflight = world.ask("OPTIONS", "/v1/t", origin);
    check(preflight);
    CHECK(preflight.status == 204);
    CHECK(std::stoi(preflight.header("access-control-max-age")) >= 600);
    CHECK(preflight.header("access-control-allow-methods") == "GET, HEAD, POST, OPTIONS");
    for (const auto* name :
         {"Authorization", "Content-Type", "X-Retry-Count", "X-Write-Key", "X-Enable-Debug",
          "X-IP-Policy", "AnonymousId", "SentAt", "Rsa-Retry-Attempt", "Rsa-Retry-Reason",
          "Rsa-Since-Last-Attempt", "Rsa-Since-First-Attempt", "Rsa-Recovered"})
        CHECK(preflight.header("access-control-allow-headers").find(name) != std::string::npos);
}

TEST_CASE("settings carry the key and the way back, and nothing that calls home") {
    World world;
    const auto path = "/v1/projects/" + world.till + "/settings";
    const auto reply = world.ask("GET", path);
    CHECK(reply.status == 200);
    CHECK(reply.header("access-control-allow-origin") == "*");
    CHECK(reply.header("cache-control").find("max-age") != std::string::npos);
    const auto segment = reply.json()["integrations"]["Segment.io"];
    CHECK(segment["apiKey"] == world.till);
    CHECK(segment["apiHost"] == "cdp.example/v1");
    CHECK(segment["protocol"] == "http");
    CHECK(reply.json()["metrics"]["sampleRate"] == 0);
    CHECK(world.ask("GET", "/v1/projects/c000000000000000000000000/settings").status == 404);
    const auto channel = world.keys.at(cdp::Role::channel);
    CHECK(world.ask("GET", "/v1/projects/" + channel + "/settings").status == 404);

    const auto rudder = world.ask("GET", "/sourceConfig/?p=npm&v=3&writeKey=" + world.till);
    CHECK(rudder.status == 200);
    CHECK(rudder.json()["source"]["destinations"].empty());
    CHECK(rudder.json()["source"]["config"].is_object());
    CHECK(world
              .ask("GET", "/sourceConfig/",
                   "Authorization: Basic " + base64(world.till + ":") + "\r\n")
              .status == 200);
    CHECK(world.ask("GET", "/sourceConfig/?writeKey=x").status == 404);
    CHECK(world.ask("HEAD", "/sourceConfig/?view=ad").status == 200);
    CHECK(world.ask("POST", "/v1/m", {}, R"({"series":[]})").status == 200);
    CHECK(world.ask("GET", "/rsaRequest").status == 200);
}

TEST_CASE("a public address is what SDKs are told") {
    api::ServerOptions options;
    options.public_url = "https://cdp.shop.example";
    World world(tests::fast_limits(), options);
    const auto segment = world.ask("GET", "/v1/projects/" + world.till + "/settings")
                             .json()["integrations"]["Segment.io"];
    CHECK(segment["apiHost"] == "cdp.shop.example/v1");
    CHECK(segment["protocol"] == "https");
}
