#include <catch2/catch.hpp>

#include "api/opendsr_signature.h"
#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"
#include "consent/base64.h"
#include "identity/hashed.h"
#include "tests/api/opendsr_keys.h"

namespace {

using nlohmann::json;
using tests::Reply;
using tests::World;

constexpr const char* kId = "a7551968-d5d6-44b2-9831-815ac9017798";

json request_for(const std::string& type, const std::string& value,
                 const std::string& format = "raw", const std::string& id = kId) {
    return {{"regulation", "gdpr"},
            {"api_version", "2.0"},
            {"subject_request_id", id},
            {"subject_request_type", "erasure"},
            {"submitted_time", cdp::format_time(cdp::SystemClock{}.now())},
            {"subject_identities",
             {{{"identity_type", type}, {"identity_value", value}, {"identity_format", format}}}}};
}

class DsrWorld {
public:
    explicit DsrWorld(std::chrono::seconds cancel_window = std::chrono::seconds(0))
        : world_(tests::world_with(keys_.config(cancel_window))) {
        world_.receive(
            R"({"type":"identify","userId":"u1","messageId":"m1","traits":{"email":"a@shop.example"}})");
    }
    Reply post(const json& body, const std::string& path = "/v2/requests") const {
        return world_.post(path, officer(), body.dump());
    }
    Reply get(const std::string& path) const { return world_.get(path, officer()); }
    Reply cancel(const std::string& path) const {
        return world_.ask("DELETE", path, World::bearer(officer()));
    }
    // Does what is due now.
    void run() const {
        REQUIRE(world_.platform->privacy().requests.run_due([] { return true; }));
    }
    const std::string& officer() const { return world_.keys.at(cdp::Role::officer); }
    World& world() { return world_; }

private:
    tests::OpenDsrKeys keys_;
    World world_;
};

std::string reason_of(const Reply& reply) {
    CHECK(tests::signed_as(reply) == "signed");
    CHECK(reply.header("content-type") == "application/json");
    const auto said = reply.json();
    CHECK(said["error"]["code"] == reply.status);
    return std::to_string(reply.status) + " " +
           said["error"]["errors"][0]["reason"].get<std::string>();
}

bool knows(DsrWorld& dsr, const std::string& type, const std::string& value) {
    const auto& world = dsr.world();
    return world
               .get("/v1/profiles/" + type + ":" + value + "/identity",
                    world.keys.at(cdp::Role::steward))
               .status == 200;
}

TEST_CASE("a request is received, waits, is done and says so", "[opendsr]") {
    DsrWorld dsr(std::chrono::seconds(60));
    const auto body = request_for("email", "A@shop.example");
    const auto received = dsr.post(body);
    CHECK(received.status == 201);
    CHECK(tests::signed_as(received) == "signed");
    const auto said = received.json();
    CHECK(said["controller_id"] == "officer");
    CHECK(said["subject_request_id"] == kId);
    CHECK(said["encoded_request"].get<std::string>().size() > body.dump().size());
    CHECK(cdp::parse_time(said["expected_completion_time"].get<std::string>()) >
          cdp::SystemClock{}.now() + std::chrono::days(27));
    const auto path = std::string("/v2/requests/") + kId;
    dsr.run();
    CHECK(dsr.get(path).json()["request_status"] == "pending");
    CHECK(knows(dsr, "user_id", "u1"));
}

TEST_CASE("an erasure takes who is named, by whichever hash", "[opendsr]") {
    const auto [type, value, format] = GENERATE(table<std::string, std::string, std::string>({
        {"email", "A@shop.example", "raw"},
        {"email", "f1a380e36299cc9e667d3485ebf78d8f0189d684d776a66cc9f26a54d82dc76c", "sha256"},
        {"email", "224f1b52b8b2277f1538d74e01a2de47751d844d", "sha1"},
        {"email", "8af70c3a6160b01be3bc8634a3588e97", "md5"},
        {"controller_customer_id", "u1", "raw"},
        {"controller_customer_id", "e4774cdda0793f86414e8b9140bb6db4", "md5"},
    }));
    CAPTURE(type, format);
    DsrWorld dsr;
    REQUIRE(dsr.post(request_for(type, value, format)).status == 201);
    dsr.run();
    const auto status = dsr.get(std::string("/v2/requests/") + kId).json();
    CHECK(status["request_status"] == "completed");
    CHECK(status["results_count"].get<int>() > 0);
    CHECK_FALSE(knows(dsr, "user_id", "u1"));
}

TEST_CASE("as many as may be named may be held by their hashes", "[opendsr]") {
    DsrWorld dsr;
    auto body = request_for("email", "a@shop.example");
    body["subject_identities"].clear();
    for (int n = 0; n < 50; ++n) {
        const auto address = "a" + std::to_string(n) + "@shop.example";
        dsr.world().receive(R"({"type":"identify","userId":"u2","messageId":"h)" +
                            std::to_string(n) + R"(","traits":{"email":")" + address + R"("}})");
        body["subject_identities"].push_back({{"identity_type", "email"},
                                              {"identity_value", identity::sha256_hex(address)},
                                              {"identity_format", "sha256"}});
    }
    CHECK(dsr.post(body).status == 201);
    body["subject_identities"].push_back(body["subject_identities"][0]);
    CHECK(reason_of(dsr.post(body)) == "400 too_many_identities");
}

TEST_CASE("somebody unknown is answered like everybody, and ends with nothing found", "[opendsr]") {
    const auto [value, format] = GENERATE(table<std::string, std::string>({
        {"nobody@shop.example", "raw"},
        {std::string(64, 'a'), "sha256"},
        {std::string(40, 'a'), "sha1"},
        {std::string(32, 'a'), "md5"},
    }));
    CAPTURE(format);
    DsrWorld dsr;
    const auto received = dsr.post(request_for("email", value, format));
    CHECK(received.status == 201);
    CHECK(received.json().size() == 5);
    dsr.run();
    const auto status = dsr.get(std::string("/v2/requests/") + kId).json();
    CHECK(status["request_status"] == "completed");
    CHECK(status["results_count"] == 0);
    CHECK(knows(dsr, "user_id", "u1"));
}

TEST_CASE("who is erased by a hash that nobody has yet does not come with what is from before",
          "[opendsr]") {
    // printf %s later@shop.example | md5sum, sha1sum, sha256sum
    const auto [value, format] = GENERATE(table<std::string, std::string>({
        {"b796bfb9f1b21c1081702b972a566f66", "md5"},
        {"270bc4ef948f9ad2550bc0f96f5781b3318f919c", "sha1"},
        {"1bd7077962a319c4ac60c7b7b129bece2ddfe082f30cfecdc9bcf4c31736e3f9", "sha256"},
    }));
    CAPTURE(format);
    DsrWorld dsr;
    auto body = request_for("email", value, format);
    // Beside somebody who is known.
    body["subject_identities"].push_back({{"identity_type", "email"},
                                          {"identity_value", "a@shop.example"},
                                          {"identity_format", "raw"}});
    REQUIRE(dsr.post(body).status == 201);
    dsr.run();
    CHECK(dsr.get(std::string("/v2/requests/") + kId).json()["results_count"].get<int>() > 0);
    const auto sent = [&](const std::string& address) {
        const auto reply = dsr.world().post(
            "/v1/batch", dsr.world().till,
            R"({"batch":[{"type":"identify","userId":"new","messageId":")" + address +
                R"(","timestamp":"2020-01-01T00:00:00Z","traits":{"email":")" + address +
                R"("}}]})");
        return reply.json()["results"][0]["verdict"].get<std::string>();
    };
    CHECK(sent("later@shop.example") == "suppressed");
    CHECK(sent("a@shop.example") == "suppressed");
    CHECK_FALSE(knows(dsr, "user_id", "new"));
    CHECK(sent("other@shop.example") == "accepted");
}

TEST_CASE("while it is pending it can be cancelled, and later not", "[opendsr]") {
    const auto path = std::string("/v2/requests/") + kId;
    {
        DsrWorld dsr(std::chrono::seconds(60));
        REQUIRE(dsr.post(request_for("email", "a@shop.example")).status == 201);
        const auto cancelled = dsr.cancel(path);
        CHECK(cancelled.status == 202);
        CHECK(tests::signed_as(cancelled) == "signed");
        CHECK(cancelled.json()["subject_request_id"] == kId);
        CHECK(dsr.cancel(path).status == 202);
        CHECK(dsr.get(path).json()["request_status"] == "cancelled");
        dsr.run();
        CHECK(knows(dsr, "user_id", "u1"));
    }
    DsrWorld dsr;
    REQUIRE(dsr.post(request_for("email", "a@shop.example")).status == 201);
    dsr.run();
    CHECK(reason_of(dsr.cancel(path)) == "400 not_pending");
    CHECK(reason_of(dsr.cancel("/v2/requests/a7551968-d5d6-44b2-9831-815ac9017799")) ==
          "404 request_unknown");
}

TEST_CASE("the same request again is the same, another under its id is refused", "[opendsr]") {
    DsrWorld dsr(std::chrono::seconds(60));
    auto body = request_for("email", "224f1b52b8b2277f1538d74e01a2de47751d844d", "sha1");
    const auto first = dsr.post(body);
    REQUIRE(first.status == 201);
    CHECK(dsr.post(body).body == first.body);
    body["subject_request_type"] = "access";
    CHECK(reason_of(dsr.post(body)) == "400 request_id_reused");
    // Another controller has ids of its own, and sees nobody else's.
    const auto other = dsr.world().add(cdp::Role::officer, "other");
    const auto path = std::string("/v2/requests/") + kId;
    CHECK(reason_of(dsr.world().get(path, other)) == "404 request_unknown");
    CHECK(dsr.world()
              .post("/v2/requests", other, request_for("email", "b@shop.example").dump())
              .status == 201);
}

TEST_CASE("a request submitted in the future or long ago is refused", "[opendsr]") {
    const DsrWorld dsr;
    auto body = request_for("email", "a@shop.example");
    body["submitted_time"] = "2018-10-02T15:00:00Z";
    CHECK(reason_of(dsr.post(body)) == "400 submitted_too_long_ago");
    body["submitted_time"] = "2999-10-02T15:00:00Z";
    CHECK(reason_of(dsr.post(body)) == "400 submitted_in_future");
}

TEST_CASE("the term runs from when the person asked, also when that is over", "[opendsr]") {
    DsrWorld dsr(std::chrono::hours(72));
    const auto submit = [&](const char* id, std::chrono::hours ago) {
        auto body = request_for("email", "a@shop.example", "raw", id);
        const auto submitted = dsr.world().clock.now() - ago;
        body["submitted_time"] = cdp::format_time(submitted);
        REQUIRE(dsr.post(body).status == 201);
        const auto stored = dsr.world().platform->privacy().requests.find(
            cdp::PrivacyProtocol::open_dsr, "officer:officer", id);
        REQUIRE(stored);
        CHECK(cdp::format_time(stored->received) == body["submitted_time"]);
        return *stored;
    };
    constexpr std::chrono::hours kDay(24);
    // Less is left than it could be cancelled for; then nothing.
    const auto late = submit("a7551968-d5d6-44b2-9831-815ac9017701", 29 * kDay);
    CHECK(late.not_before <= late.answer_by);
    const auto over = submit("a7551968-d5d6-44b2-9831-815ac9017702", 40 * kDay);
    CHECK_FALSE(over.not_before);
    dsr.run();
    CHECK(dsr.get("/v2/requests/" + over.external_id).json()["request_status"] == "completed");
}

TEST_CASE(
    "all names of the protocol reach the same requests, each with its "
    "own headers",
    "[opendsr]") {
    DsrWorld dsr(std::chrono::seconds(60));
    REQUIRE(dsr.post(request_for("email", "a@shop.example")).status == 201);
    struct Row {
        const char* root;
        const char* prefix;
    };
    for (const auto& row :
         {Row{"/v2/requests", "x-opendsr-"}, Row{"/requests", "x-opendsr-"},
          Row{"/opendsr_requests", "x-opendsr-"}, Row{"/v1/opendsr_requests", "x-opendsr-"},
          Row{"/v2/opendsr_requests", "x-opendsr-"}, Row{"/opengdpr_requests", "x-opengdpr-"},
          Row{"/v1/opengdpr_requests", "x-opengdpr-"}, Row{"/v2/opengdpr_requests", "x-opengdpr-"},
          Row{"/OpenCompliance_requests", "x-opencompliance-"},
          Row{"/v1/OpenCompliance_requests", "x-opencompliance-"},
          Row{"/v2/OpenCompliance_requests", "x-opencompliance-"}}) {
        CAPTURE(row.root);
        const auto status = dsr.get(std::string(row.root) + "/" + kId);
        CHECK(status.status == 200);
        CHECK(status.json()["request_status"] == "pending");
        CHECK(tests::signed_as(status, row.prefix) == "signed");
        CHECK(dsr.post(json::object(), row.root).status == 400);
    }
}

TEST_CASE("who may not is refused in the protocol's shape", "[opendsr]") {
    DsrWorld dsr;
    const auto& world = dsr.world();
    const auto body = request_for("email", "a@shop.example").dump();
    CHECK(reason_of(world.ask("POST", "/v2/requests", "", body)) == "401 key_missing");
    CHECK(reason_of(world.post("/v2/requests", "c000000000000000000000000", body)) ==
          "401 key_unknown");
    CHECK(reason_of(world.post("/v2/requests", world.keys.at(cdp::Role::channel), body)) ==
          "403 role_forbidden");
    CHECK(reason_of(world.get(std::string("/v2/requests/") + kId,
                              world.keys.at(cdp::Role::source))) == "403 role_forbidden");
    CHECK(reason_of(dsr.post("{")) == "400 wrong_type");
    CHECK(reason_of(world.post("/v2/requests", dsr.officer(), "{")) == "400 malformed_json");
    CHECK(reason_of(world.ask("GET", "/v2/requests", World::bearer(dsr.officer()))) ==
          "405 method_not_allowed");
    CHECK(reason_of(world.post("/v2/requests", dsr.officer(), std::string(1'100'000, ' '))) ==
          "413 body_too_large");
    // Basic, with the key as user.
    const auto pair = "Authorization: Basic " + consent::to_base64(dsr.officer() + ":") + "\r\n";
    CHECK(world.ask("POST", "/v2/requests", pair, body).status == 201);
}

TEST_CASE("an identity that is none of its type is refused with its place", "[opendsr]") {
    const DsrWorld dsr;
    const auto reply = dsr.post(request_for("email", "no address"));
    CHECK(reason_of(reply) == "400 malformed_identifier");
    CHECK(reply.body.find("no address") == std::string::npos);
}

}  // namespace
