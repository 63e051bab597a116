#include "api/results_link.h"

#include <catch2/catch.hpp>

#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"
#include "tests/api/opendsr_keys.h"

namespace {

using nlohmann::json;
using tests::World;

constexpr const char* kId = "a7551968-d5d6-44b2-9831-815ac9017798";

class ResultsWorld {
public:
    ResultsWorld() : world_(tests::world_with(keys_.config())) {
        world_.receive(
            R"({"type":"identify","userId":"u1","messageId":"m1","traits":{"email":"a@shop.example"}})");
    }
    // The URL of what it found; its host is this server's.
    std::string ask(const std::string& type, const std::string& email) const {
        const json body{{"regulation", "gdpr"},
                        {"subject_request_id", kId},
                        {"subject_request_type", type},
                        {"submitted_time", cdp::format_time(world_.clock.now())},
                        {"subject_identities",
                         {{{"identity_type", "email"},
                           {"identity_value", email},
                           {"identity_format", "raw"}}}}};
        const auto& officer = world_.keys.at(cdp::Role::officer);
        REQUIRE(world_.post("/v2/requests", officer, body.dump()).status == 201);
        REQUIRE(world_.platform->privacy().requests.run_due([] { return true; }));
        const auto status = world_.get(std::string("/v2/requests/") + kId, officer).json();
        CHECK(status["request_status"] == "completed");
        // Two identifiers, at least, of whom there is something.
        CHECK(status["results_count"] >= (email == "a@shop.example" ? 2 : 0));
        CHECK((status["results_count"] == 0) == (email != "a@shop.example"));
        const std::string url = status.value("results_url", "");
        REQUIRE(url.starts_with("https://localhost/v2/results/"));
        return url.substr(std::string("https://localhost").size());
    }
    const World& world() const { return world_; }

private:
    tests::OpenDsrKeys keys_;
    World world_;
};

TEST_CASE("whoever was given the link reads what was found", "[opendsr]") {
    const ResultsWorld results;
    const auto path = results.ask("access", "a@shop.example");
    CHECK(path.find("shop") == std::string::npos);
    const auto reply = results.world().ask("GET", path);
    CHECK(reply.status == 200);
    CHECK(reply.body.find("a@shop.example") != std::string::npos);
    CHECK(reply.json().is_object());
    // That it was read is listed.
    const auto read = results.world().get("/v1/audit/access?subject=email:a@shop.example",
                                          results.world().keys.at(cdp::Role::officer));
    CHECK(read.body.find("GET /v2/results/{link}") != std::string::npos);
}

TEST_CASE("portability gives what can be carried elsewhere", "[opendsr]") {
    const ResultsWorld results;
    const auto reply = results.world().ask("GET", results.ask("portability", "a@shop.example"));
    CHECK(reply.status == 200);
    CHECK(reply.header("content-type") == "application/x-ndjson");
    CHECK(reply.body.find("a@shop.example") != std::string::npos);
}

TEST_CASE("of somebody unknown there is a link too, to nothing", "[opendsr]") {
    const ResultsWorld results;
    const auto reply = results.world().ask("GET", results.ask("access", "nobody@shop.example"));
    CHECK(reply.status == 200);
    CHECK(reply.body == "{}\n");
}

TEST_CASE("a link that was made up, has run out or leads to nobody opens nothing", "[opendsr]") {
    const ResultsWorld results;
    const auto& world = results.world();
    const auto code = [](const tests::Reply& reply) {
        CHECK(tests::signed_as(reply) == "signed");
        return std::to_string(reply.status) + " " +
               reply.json()["error"]["errors"][0]["reason"].get<std::string>();
    };
    auto path = results.ask("access", "a@shop.example");
    path.back() = path.back() == '0' ? '1' : '0';
    CHECK(code(world.ask("GET", path)) == "404 link_unknown");
    CHECK(code(world.ask("GET", "/v2/results/abc")) == "404 link_unknown");
    const auto& privacy = world.platform->privacy();
    const api::OpenDsr dsr(*world.platform, world.clock, {}, "");
    auto request = *privacy.requests.find(cdp::PrivacyProtocol::open_dsr, "officer:officer", kId);
    const auto now = world.clock.now();
    request.results.until = now + std::chrono::milliseconds(1);
    const auto url = api::results_url(dsr, privacy.secrets, request, now);
    ::poll(nullptr, 0, 5);
    CHECK(code(world.ask("GET", url.substr(url.find("/v2")))) == "410 link_expired");
    CHECK(api::results_url(dsr, privacy.secrets, request, world.clock.now()) == "");
}

}  // namespace
