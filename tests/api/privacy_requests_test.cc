#include "api/audit_check.h"
#include "consent/ledger.h"
#include "tests/api/world.h"

// What officers post about somebody's request, and what they are answered.

namespace {

using cdp::Role;
using nlohmann::json;
using tests::World;

const std::string kRequests = "/v1/privacy/requests";

struct Office : World {
    Office() {
        receive(R"({"type":"identify","userId":"u1","messageId":"m1","traits":{"plan":"gold"}})");
    }
    const std::string& officer() const { return keys.at(Role::officer); }
    tests::Reply submit(const json& body) const { return post(kRequests, officer(), body.dump()); }
    tests::Reply step(const json& request, const json& body) const {
        return post(kRequests + "/" + request.at("id").get<std::string>() + "/steps", officer(),
                    body.dump());
    }
};

json asked(const std::string& kind) {
    return {{"kind", kind},
            {"identifiers", {{{"type", "user_id"}, {"value", "u1"}}}},
            {"verified_by", "in_person"}};
}

}  // namespace

TEST_CASE("a request is taken down, done and read again by officers", "[privacy]") {
    const Office world;
    auto body = asked("erasure");
    body["external_id"] = "T-7";
    body["regime"] = "ccpa";
    body["reason"] = "asked at the desk";
    const auto taken = world.submit(body);
    REQUIRE(taken.status == 200);
    const auto request = taken.json();
    CAPTURE(request.dump());
    CHECK(request["status"] == "fulfilled");
    CHECK(request["law"] == "11 CCR § 7021; § 7026 for opt-outs");
    CHECK(request.contains("acknowledge_by"));
    CHECK(request["sender"] == "officer:officer");
    CHECK(request["identifiers"].empty());
    CHECK(request["results"]["counts"]["identifiers"] == 1);
    CHECK(world.submit(body).json()["id"] == request["id"]);
    body["kind"] = "objection";
    CHECK(world.submit(body).refusal() == "409 request_id_reused /external_id");
    const auto id = request["id"].get<std::string>();
    const auto erasure = request["results"]["erasures"][0].get<std::string>();
    CHECK(world.get("/v1/privacy/erasures/" + erasure, world.officer()).status == 200);
    CHECK(world.get(kRequests + "/" + id, world.officer()).json()["steps"].size() == 4);
    CHECK(world.get(kRequests + "/" + std::string(32, '0'), world.officer()).refusal() ==
          "404 request_unknown");
    CHECK(world.get(kRequests + "?status=fulfilled&kind=erasure", world.officer())
              .json()["requests"]
              .size() == 1);
    CHECK(world.get(kRequests + "?status=denied", world.officer()).json()["requests"].empty());
    CHECK(world.get(kRequests + "?due_before=2026-11-21", world.officer()).refusal() ==
          "400 malformed_time /due_before");
    CHECK(world.get(kRequests + "?status=later", world.officer()).refusal() ==
          "400 status_unknown /status");
}

TEST_CASE("what waits for its verification is done when it is verified", "[privacy]") {
    const Office world;
    auto body = asked("restriction");
    body.erase("verified_by");
    const auto waiting = world.submit(body).json();
    CHECK(waiting["status"] == "waiting_for_verification");
    CHECK(waiting["identifiers"][0]["value"] == "u1");
    CHECK(world.step(waiting, {{"step", "verify"}}).refusal() == "400 code_required /code");
    CHECK(world.step(waiting, {{"step", "begin"}}).refusal() == "400 step_unknown /step");
    CHECK(world.step(waiting, {{"step", "dance"}}).refusal() == "400 step_unknown /step");
    CHECK(world.step(waiting, {{"step", "deny"}, {"reason", "mood"}}).refusal() ==
          "400 denial_unknown /reason");
    CHECK(world.step(waiting, {{"step", "verify"}, {"code", "passport"}}).json()["status"] ==
          "fulfilled");
    CHECK(world.step(waiting, {{"step", "cancel"}}).refusal() == "409 step_not_possible");
    CHECK(world.step(waiting, {{"step", "lift"}, {"code", "settled"}}).refusal() ==
          "400 person_not_informed /informed");
    CHECK(world.step(waiting, {{"step", "lift"}, {"code", "settled"}, {"informed", "yes"}})
              .refusal() == "400 wrong_type /informed");
    CHECK(world.step(waiting, {{"step", "lift"}, {"code", "settled"}, {"informed", true}}).status ==
          200);
    CHECK(world.step({{"id", "events"}}, {{"step", "cancel"}}).refusal() == "404 request_unknown");
}

TEST_CASE("a request that cannot be read is refused where it stands", "[privacy]") {
    const Office world;
    CHECK(world.submit(json::object()).refusal() == "400 kind_unknown /kind");
    CHECK(world.submit({{"kind", "erasure"}}).refusal() == "400 identifiers_missing /identifiers");
    auto body = asked("erasure");
    body["identifiers"] = "u1";
    CHECK(world.submit(body).refusal() == "400 wrong_type /identifiers");
    body["identifiers"] = {{{"type", "user_id"}, {"value", "u1"}, {"colour", "red"}}};
    CHECK(world.submit(body).status == 400);
    body = asked("erasure");
    body["shade"] = 1;
    CHECK(world.submit(body).status == 400);
    body = asked("erasure");
    for (const auto* no_moment : {"yesterday", "2026-11-20", "2026-11-20T10:00:00", ""}) {
        CAPTURE(no_moment);
        body["received"] = no_moment;
        CHECK(world.submit(body).refusal() == "400 malformed_time /received");
    }
    body["received"] = cdp::format_time(world.clock.now() + std::chrono::minutes(5));
    CHECK(world.submit(body).refusal() == "400 received_in_future /received");
    body = asked("erasure");
    body["not_before"] = "";
    CHECK(world.submit(body).refusal() == "400 malformed_time /not_before");
    body = asked("rectification");
    CHECK(world.submit(body).status == 400);
    CHECK(world.post(kRequests, world.officer(), "{").refusal() == "400 malformed_json");
}

TEST_CASE("whoever reads a request looks at whom it names, and that is noted", "[privacy]") {
    const Office world;
    auto body = asked("erasure");
    body.erase("verified_by");
    const auto id = world.submit(body).json()["id"].get<std::string>();
    const auto looked = [&] {
        return world.get("/v1/audit/access?subject=user_id:u1", world.officer())
            .json()["accesses"]
            .size();
    };
    const auto before = looked();
    CHECK(world.get(kRequests + "/" + id + "?reason=case%207", world.officer()).status == 200);
    CHECK(looked() > before);
}

TEST_CASE("what was done about a request is proved offline, and nothing else", "[privacy]") {
    Office world;
    auto body = asked("erasure");
    body.erase("verified_by");
    REQUIRE(world.submit(body).status == 200);
    auto answer = world.get("/v1/audit/rights-requests", world.officer());
    REQUIRE(answer.status == 200);
    const auto keys = world.platform->ledger().public_keys();
    REQUIRE(keys);
    const auto verified = [&](const json& said) { return api::check_audit(said.dump(), *keys); };
    auto said = answer.json();
    const auto holds = verified(said);
    REQUIRE(holds);
    CHECK(holds->verified());
    CHECK(holds->proofs == 2);
    said["requests"][0]["steps"][1]["author"] = "somebody";
    const auto forged = verified(said);
    REQUIRE(forged);
    CHECK_FALSE(forged->verified());
    REQUIRE(forged->fault);
    CHECK(forged->fault->pointer == "/requests/0/steps/1/author");
}
