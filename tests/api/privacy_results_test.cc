#include <map>

#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"
#include "tests/api/world.h"

// What access and portability requests find is fetched by a link, by whoever was given it.

namespace {

using cdp::Role;
using nlohmann::json;
using tests::Reply;
using tests::World;

const std::string kRequests = "/v1/privacy/requests";

struct Office : World {
    Office() {
        receive(R"({"type":"identify","userId":"u1","messageId":"m1",)"
                R"("traits":{"email":"a@shop.example","plan":"gold"}})");
        receive(R"({"type":"identify","userId":"u2","messageId":"m2","traits":{"plan":"tin"}})");
    }
    const std::string& officer() const { return keys.at(Role::officer); }
    json submit(const std::string& kind, const std::vector<std::string>& users) const {
        json body{{"kind", kind}, {"verified_by", "in_person"}, {"identifiers", json::array()}};
        for (const auto& user : users)
            body["identifiers"].push_back({{"type", "user_id"}, {"value", user}});
        if (kind == "rectification") body["traits"] = {{"plan", "silver"}};
        const auto taken = post(kRequests, officer(), body.dump());
        CAPTURE(taken.body);
        REQUIRE(taken.status == 200);
        return taken.json();
    }
    json now(const json& request) const {
        return get(kRequests + "/" + request["id"].get<std::string>(), officer()).json();
    }
    // Of its URL, whose host is this server's.
    static std::string path_of(const json& request) {
        const auto url = request.value("results_url", "");
        const auto at = url.find("/privacy/results/");
        REQUIRE(at != url.npos);
        return url.substr(at);
    }
    Reply results_of(const json& request, const std::string& query = {}) const {
        return get(kRequests + "/" + request["id"].get<std::string>() + "/results" + query,
                   officer());
    }
    std::size_t looks() const {
        return get("/v1/audit/access?subject=user_id:u1", officer()).json()["accesses"].size();
    }
};

}  // namespace

TEST_CASE("access is asked, done, counted and fetched, and each fetch is noted", "[privacy]") {
    const Office world;
    const auto request = world.submit("access", {"u1"});
    CHECK(request["status"] == "fulfilled");
    CHECK(request["results"]["matched"] == true);
    CHECK(request["results"].contains("until"));
    const auto before = world.looks();
    const auto path = Office::path_of(request);
    CHECK(path.find("u1") == path.npos);
    const auto report = world.ask("GET", path);
    REQUIRE(report.status == 200);
    CHECK(report.header("cache-control") == "no-store");
    const auto said = report.json();
    CHECK(said["report"]["asked"]["value"] == "u1");
    CHECK(request["results"]["counts"]["events"] == said["counts"]["events"]);
    CHECK(request["results"]["counts"]["identifiers"] == said["counts"]["identifiers"]);
    const auto page = world.ask("GET", path + "?format=html");
    CHECK(page.status == 200);
    CHECK(page.header("content-type") == "text/html; charset=utf-8");
    CHECK(page.header("content-security-policy").starts_with("default-src 'none'"));
    CHECK(page.body.ends_with("</html>\n"));
    CHECK(world.ask("GET", path + "?format=portable").refusal() == "400 format_unknown /format");
    CHECK(world.ask("GET", path + "?format=pdf").refusal() == "400 format_unknown /format");
    CHECK(world.looks() > before);
    // It is made anew.
    world.receive(R"({"type":"track","userId":"u1","messageId":"m3","event":"Seen"})");
    CHECK(world.ask("GET", path).json()["counts"]["events"] == 2);
}

TEST_CASE("a request has one link, and who reads by it is not listed as an officer", "[privacy]") {
    const Office world;
    const auto request = world.submit("access", {"u1"});
    const auto path = Office::path_of(request);
    for (int i = 0; i < 3; ++i) CHECK(Office::path_of(world.now(request)) == path);
    CHECK(Office::path_of(world.submit("access", {"u1"})) != path);
    REQUIRE(world.ask("GET", path).status == 200);
    const auto seen = world.get("/v1/audit/access?subject=user_id:u1", world.officer()).json();
    CAPTURE(seen.dump(1));
    std::size_t by_link = 0;
    for (const auto& one : seen["accesses"]) {
        if (one.value("route", "") != "GET /privacy/results/{link}") continue;
        ++by_link;
        CHECK(one["reader"] == json{{"role", "person"}, {"name", "themselves"}});
    }
    CHECK(by_link > 0);  // a row for whom it names, and one for the person
}

TEST_CASE("a link shows nobody whom a public key joined to the asker", "[privacy]") {
    const Office world;
    world.receive(R"({"type":"identify","anonymousId":"visitor","messageId":"m5",)"
                  R"("traits":{"email":"v@shop.example"}})");
    const json body{{"kind", "access"},
                    {"verified_by", "in_person"},
                    {"identifiers", {{{"type", "email"}, {"value", "v@shop.example"}}}}};
    const auto taken = world.post(kRequests, world.officer(), body.dump()).json();
    const auto path = Office::path_of(taken);
    world.receive(R"({"type":"identify","anonymousId":"visitor","userId":"u1","messageId":"m6"})");
    for (const auto& text :
         {world.ask("GET", path).body, world.ask("GET", path + "?format=html").body,
          world.results_of(taken).body}) {
        CAPTURE(text);
        CHECK(text.find("v@shop.example") != text.npos);
        for (const auto* theirs : {"gold", "a@shop.example", "\"u1\""})
            CHECK(text.find(theirs) == text.npos);
    }
    CHECK(world.get("/v1/privacy/reports/email:v%40shop.example", world.officer())
              .body.find("gold") != std::string::npos);
}

TEST_CASE("what is taken along is fetched line by line, and nothing else is", "[privacy]") {
    const Office world;
    const auto request = world.submit("portability", {"u1"});
    const auto path = Office::path_of(request);
    const auto lines = world.ask("GET", path);
    CHECK(lines.status == 200);
    CHECK(lines.header("content-type") == "application/x-ndjson");
    CHECK(lines.body.find(R"({"kind":"end")") != lines.body.npos);
    CHECK(request["results"]["counts"]["identifiers"] == 2);
    CHECK(world.ask("GET", path + "?format=json").refusal() == "400 format_unknown /format");
}

TEST_CASE("everybody whom one request names is told of, once", "[privacy]") {
    const Office world;
    const auto both = world.submit("access", {"u1", "u2", "u1", "nobody"});
    const auto report = world.ask("GET", Office::path_of(both)).json();
    REQUIRE(report.size() == 2);
    std::map<std::string, int> events;
    for (const auto& one : report)
        events[one["report"]["asked"]["value"].get<std::string>()] =
            one["counts"]["events"].get<int>();
    CHECK(events == std::map<std::string, int>{{"u1", 1}, {"u2", 1}});
    CHECK(both["results"]["counts"]["events"] == 2);
    const auto page = world.ask("GET", Office::path_of(both) + "?format=html").body;
    CHECK(page.find("<html") == page.rfind("<html"));
    CHECK(page.ends_with("</html>\n"));
}

TEST_CASE("of whom nothing is held the results say so", "[privacy]") {
    const Office world;
    const auto request = world.submit("access", {"nobody"});
    CHECK(request["status"] == "fulfilled");
    CHECK(request["results"]["matched"] == false);
    CHECK(world.ask("GET", Office::path_of(request)).body == "{}\n");
    CHECK(
        world.ask("GET", Office::path_of(request) + "?format=html").body.find("Nothing is held") !=
        std::string::npos);
}

TEST_CASE("officers fetch results too, of requests that have some", "[privacy]") {
    const Office world;
    const auto request = world.submit("access", {"u1"});
    CHECK(world.results_of(request).json()["counts"]["events"] == 1);
    const auto before = world.looks();
    CHECK(world.results_of(request, "?format=html&reason=case%207").status == 200);
    CHECK(world.looks() > before);
    CHECK(world.results_of(request, "?format=portable").refusal() == "400 format_unknown /format");
    CHECK(world.results_of({{"id", std::string(32, '0')}}).refusal() == "404 request_unknown");
    CHECK(world.results_of(world.submit("objection", {"u1"})).refusal() == "409 no_results");
    for (const auto role : {Role::source, Role::channel, Role::steward})
        CHECK(world
                  .get(kRequests + "/" + request["id"].get<std::string>() + "/results",
                       world.keys.at(role))
                  .status == 403);
}

TEST_CASE("once the person is erased a link is as if it had run out", "[privacy]") {
    const Office world;
    const auto request = world.submit("access", {"u1"});
    const auto path = Office::path_of(request);
    world.submit("erasure", {"u1"});
    CHECK(world.ask("GET", path).refusal() == "410 link_expired");
    CHECK(world.results_of(request).refusal() == "410 link_expired");
    CHECK(world.ask("GET", "/privacy/results/abc").refusal() == "404 link_unknown");
    auto forged = path;
    forged.back() = forged.back() == '0' ? '1' : '0';
    CHECK(world.ask("GET", forged).refusal() == "404 link_unknown");
    CHECK(world.ask("GET", "/preferences" + path.substr(path.rfind('/'))).status == 404);
}

TEST_CASE("a correction that is asked for is made once, under its request", "[privacy]") {
    const Office world;
    const auto request = world.submit("rectification", {"u1", "u2"});
    CAPTURE(request.dump());
    CHECK(request["status"] == "fulfilled");
    REQUIRE(request["results"]["made"].size() == 2);
    CHECK(request["results"]["counts"]["traits"] == 2);
    for (const auto& id : request["results"]["made"])
        CHECK(world.get("/v1/privacy/rectifications/" + id.get<std::string>(), world.officer())
                  .status == 200);
    const auto held = world.get("/v1/privacy/reports/user_id:u2", world.officer()).json();
    CHECK(held["traits"].dump().find("\"silver\"") != std::string::npos);
    CHECK(world.submit("rectification", {"nobody"})["denial"] == "no_match");
}
