#include "tests/api/world.h"

namespace {

using cdp::Role;
using nlohmann::json;
using tests::World;

const char* const kAnswer =
    R"({"identifiers":[{"type":"email","value":"a@shop.example"}],"purpose":"email_marketing","state":"granted"})";

std::string with(const char* members) {
    std::string body = kAnswer;
    body.pop_back();
    return body + "," + members + "}";
}

TEST_CASE("a malformed member of an answer names its place") {
    const World world;
    struct Row {
        const char* members;
        const char* refusal;
    };
    const Row rows[] = {
        {R"("basis":7)", "400 wrong_type /basis"},
        {R"("labels":"x")", "400 wrong_type /labels"},
        {R"("labels":[7])", "400 wrong_type /labels/0"},
        {R"("effective_from":"soon")", "400 malformed_time /effective_from"},
        {R"("notice":{"hash_of":"x"}})", "400 malformed_json"},
        {R"("notice":{"hash_of":"x"})", "400 unknown_member /notice/hash_of"},
        {R"("signal":{"type":"gpc","raw":1})", "400 wrong_type /signal/raw"},
        {R"("signal":{"type":"smoke","raw":"1"})", "400 invalid_signal /signal/type"},
        {R"("evidence":[{"kind":"scan","sha256":"00","size":-1}])",
         "400 wrong_type /evidence/0/size"},
        {R"("evidence":{})", "400 too_many_evidence /evidence"},
        {R"("double_opt_in":{"expires":5})", "400 wrong_type /double_opt_in/expires"},
        {R"("minor":{"age_band":"under_13","guardian":{"type":"email"}})",
         "400 identifier_incomplete /minor/guardian"},
        {R"("overrides":["x"])", "400 malformed_record_id /overrides/0"},
        {R"("actor":"agent")", "403 actor_not_allowed /actor"},
        {R"("actor":"nobody")", "400 invalid_actor /actor"},
        {R"("actor":{"name":"x"})", "400 unknown_member /actor/name"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.members);
        CHECK(world.post("/v1/consents", world.till, with(row.members)).refusal() == row.refusal);
    }
    CHECK(world.get("/v1/exports/consents?reason=test", world.keys.at(Role::officer)).body.empty());
}

TEST_CASE("a pending answer is told what confirms it, and an unknown notice is warned of") {
    const World world;
    const auto reply = world.post(
        "/v1/consents", world.till,
        R"({"identifiers":[{"type":"email","value":"a@shop.example"}],"purpose":"email_marketing","state":"pending_doi","double_opt_in":{"expires":"2090-01-01T00:00:00Z"},"notice":{"id":"n","version":"1"}})");
    REQUIRE(reply.status == 200);
    const auto said = reply.json();
    CHECK(said["confirmations"][0]["request"] == said["records"][0]);
    CHECK(said["warnings"][0] == json{{"code", "notice_unknown"}, {"pointer", "/notice"}});
    const auto confirmed = world.post(
        "/v1/consents", world.till,
        with((R"("double_opt_in":{"request":")" + said["records"][0].get<std::string>() +
              R"(","token":")" + said["confirmations"][0]["token"].get<std::string>() + "\"}")
                 .c_str()));
    CHECK(confirmed.status == 200);
}

TEST_CASE("notices are posted by officers and read by whoever asks people") {
    const World world;
    const auto& officer = world.keys.at(Role::officer);
    const auto notice =
        R"({"id":"terms","version":"1","language":"ko","purposes":["email_marketing"],"text":"광고를 보내도 될까요?"
})";
    CHECK(world.post("/v1/notices", world.till, notice).status == 403);
    CHECK(world.post("/v1/notices", officer, notice).status == 201);
    CHECK(world.post("/v1/notices", officer, notice).status == 200);
    const auto other =
        R"({"id":"terms","version":"1","language":"ko","purposes":["email_marketing"],"text":"?"})";
    CHECK(world.post("/v1/notices", officer, other).refusal() == "409 notice_differs");
    CHECK(world.get("/v1/notices/terms?version=1", world.till).json()["versions"].size() == 1);
    CHECK(world.get("/v1/notices/terms?version=2", world.till).refusal() == "404 notice_unknown");
}

TEST_CASE("what was said and what held is an officer's to read") {
    const World world;
    REQUIRE(world.post("/v1/consents", world.till, kAnswer).status == 200);
    const auto& officer = world.keys.at(Role::officer);
    const auto records = "/v1/profiles/email:a%40shop.example/consents";
    CHECK(world.get(records, world.keys.at(Role::channel)).status == 403);
    CHECK(world.get(records, officer).json()["records"].size() == 1);
    const std::string beliefs = "/v1/audit/consent?subject=email:a%40shop.example";
    CHECK(world.get(beliefs, officer).refusal() == "400 as_of_required /as_of");
    CHECK(world.get(beliefs + "&as_of=2090-01-01T00:00:00Z", officer).refusal() ==
          "400 in_the_future /as_of");
    CHECK(world.get(beliefs + "&as_of=2020-01-01T00:00:00Z", officer).status == 200);
    CHECK(world.get("/v1/audit/consent?subject=nobody&as_of=2020-01-01T00:00:00Z", officer)
              .refusal() == "400 malformed_identifier /subject");
}

TEST_CASE("decisions are told to channels, server sources and officers") {
    const World world;
    REQUIRE(world.post("/v1/consents", world.till, kAnswer).status == 200);
    const auto question =
        R"({"identifiers":[{"type":"email","value":"a@shop.example"}],"purpose":"email_marketing"})";
    const auto own = world.post("/v1/decisions", world.keys.at(Role::channel), question);
    REQUIRE(own.status == 200);
    CHECK(own.json()["answers"][0]["outcome"] == "allow");
    CHECK(world.post("/v1/decisions", world.till, question).refusal() ==
          "400 channel_unknown /channel");
    CHECK(world.post("/v1/decisions", world.keys.at(Role::source), question).refusal() ==
          "403 server_source_required");
    CHECK(world.post("/v1/decisions", world.keys.at(Role::officer), R"({"questions":[{}]})")
              .refusal() == "400 identifiers_missing /questions/0/identifiers");
}

TEST_CASE("quarantines are an officer's to list and release") {
    const World world;
    const auto& officer = world.keys.at(Role::officer);
    CHECK(world.get("/v1/audit/quarantines?status=odd", officer).refusal() ==
          "400 status_unknown /status");
    CHECK(world.get("/v1/audit/quarantines", officer).json()["quarantines"].empty());
    const auto release = "/v1/audit/quarantines/" + std::string(32, '0') + "/release";
    CHECK(world.post(release, world.keys.at(Role::steward), R"({"reason":"x"})").status == 403);
    CHECK(world.post(release, officer, R"({"reason":"x"})").refusal() == "404 quarantine_unknown");
}

}  // namespace
