#include "cdp/decisions.h"
#include "cdp/disclosures.h"
#include "cdp/policy_versions.h"
#include "tests/cdp/stewardship_world.h"

namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::minutes;
using tests::PlatformWorld;

constexpr auto kLogin =
    R"({"type":"identify","messageId":"m1","userId":"u1","timestamp":"2026-11-21T11:00:00Z",)"
    R"("traits":{"email":"a@shop.example","firstName":"A","secret":1}})";

// One person, who agreed to e-mails, and a decision about her.
struct Shop : PlatformWorld {
    Shop() {
        REQUIRE(platform().policies().adopt());
        clock().advance(minutes(1));
        REQUIRE(send_one(kLogin) == "accepted");
        consent("email", "a@shop.example", "email_marketing", "granted");
        clock().advance(minutes(1));
    }

    json read() { return profile("email_tool", "user_id", "u1", "email_marketing"); }
    json why(const std::string& id, const std::string& type = "user_id",
             const std::string& value = "u1") {
        return audited("decision", {.id = id, .subject = cdp::AuditSubject{type, value}});
    }
};

// The one identifier of a type in what was decided again.
json decided(const json& answer, const std::string& type) {
    for (const auto& one : answer.at("again").at("decisions").at(0).at("identifiers"))
        if (one.at("type") == type) return one;
    return {};
}

std::set<std::string> names(const json& fields) {
    std::set<std::string> out;
    for (const auto& field : fields)
        out.insert(field.at("section").get<std::string>() + "/" +
                   field.at("name").get<std::string>());
    return out;
}

}  // namespace

TEST_CASE("a decision is explained by what left, what stayed, and the records behind it") {
    Shop shop;
    const auto id = shop.read().at("decision").get<std::string>();
    const auto answer = shop.why(id);
    REQUIRE(answer.at("rows").size() == 2);
    CHECK(answer["complete"] == true);
    for (const auto& row : answer["rows"]) {
        CHECK(row["channel"] == "email_tool");
        CHECK(row["recipient"] == "The e-mail tool");
        CHECK(row["purpose"] == "email_marketing");
        CHECK(row["first"] == "2026-11-21T12:02:00.000Z");
        CHECK(row["times"] == 1);
        if (row["identifier"]["type"] == "email") {
            CHECK(row["identifier"]["value"] == "a@shop.example");
            CHECK(names(row["fields"]) == std::set<std::string>{"identifiers/email"});
            continue;
        }
        CHECK(names(row["fields"]) ==
              std::set<std::string>{"persons/person", "fields/email", "fields/firstName"});
        CHECK(names(row["withheld"]) ==
              std::set<std::string>{"fields/secret", "identifiers/user_id"});
        for (const auto& field : row["withheld"])
            CHECK(field["reason"] ==
                  (field["name"] == "secret" ? "unmapped" : "label_not_allowed"));
    }
    REQUIRE(answer["records"].size() == 1);
    const auto& record = answer["records"][0];
    CHECK(record["state"] == "granted");
    CHECK(record["purpose"] == "email_marketing");
    CHECK(record["identifier"] == json{{"type", "email"}, {"value", "a@shop.example"}});
    CHECK(answer["again"]["same"] == true);
    CHECK(answer["again"]["made_by"] == "read");
    CHECK(answer["again"]["policy_assumed"] == false);
    CHECK(decided(answer, "email")["outcome"] == "allow");
    CHECK(decided(answer, "email")["record"] == record["id"]);
    CHECK(answer["again"]["ledger_size"] == answer["rows"][0]["ledger_size"]);
}

TEST_CASE("what became known later does not change what was decided then") {
    Shop shop;
    const auto id = shop.read().at("decision").get<std::string>();
    shop.clock().advance(hours(1));
    shop.consent("email", "a@shop.example", "email_marketing", "withdrawn");
    // And another identifier is the same person's now.
    REQUIRE(shop.send_one(R"({"type":"identify","messageId":"m2","userId":"u1",)"
                          R"("anonymousId":"c1"})") == "accepted");
    const auto later = shop.read().at("decision").get<std::string>();
    REQUIRE(later != id);
    const auto before = shop.why(id);
    CHECK(before["again"]["same"] == true);
    CHECK(decided(before, "email")["outcome"] == "allow");
    CHECK(before["again"]["decisions"][0]["identifiers"].size() == 2);
    const auto after = shop.why(later);
    CHECK(after["again"]["same"] == true);
    CHECK(decided(after, "email")["reason"] == "withdrawn");
    CHECK(decided(after, "anonymous_id")["reason"] == "withdrawn");
    CHECK(after["records"].size() >= 1);
    // Asked by another of her identifiers.
    CHECK(shop.why(id, "anonymous_id", "c1")["rows"] == before["rows"]);
}

TEST_CASE("a decision is made again as of whom it was about, whoever became one with them since") {
    Shop shop;
    shop.consent("email", "b@shop.example", "email_marketing", "withdrawn");
    const auto id = shop.read().at("decision").get<std::string>();
    shop.clock().advance(hours(1));
    REQUIRE(shop.send_one(R"({"type":"identify","messageId":"m2","userId":"u1",)"
                          R"("traits":{"email":"b@shop.example"}})") == "accepted");
    const auto answer = shop.why(id, "email", "b@shop.example");
    CHECK(answer["again"]["same"] == true);
    CHECK(decided(answer, "email")["outcome"] == "allow");
    CHECK(answer["again"] == shop.why(id)["again"]);
}

TEST_CASE("an answer that was kept and told again is one decision, whatever the ledger did since") {
    Shop shop;
    const auto id = shop.read().at("decision").get<std::string>();
    REQUIRE(shop.platform().disclosures().drain());
    for (int i = 0; i < 5; ++i) {
        shop.consent("email", "b@shop.example", "email_marketing", i % 2 ? "granted" : "denied");
        shop.clock().advance(minutes(1));
    }
    REQUIRE(shop.read().at("decision") == id);
    const auto answer = shop.why(id);
    CHECK(answer["rows"].size() == 4);
    CHECK(answer["rows"][0]["last"] > answer["rows"][3]["last"]);
    CHECK(answer["again"]["same"] == true);
}

TEST_CASE("the policy that was in force decides again, not today's") {
    Shop shop;
    const auto id = shop.read().at("decision").get<std::string>();
    REQUIRE(shop.platform().disclosures().drain());
    const auto version = cdp::to_hex(consent::view(shop.platform().policies().current()));
    shop.clock().advance(hours(1));
    cdp::Config stricter;
    stricter.policy.channels[0].purposes = {"analytics"};
    shop.restart(stricter);
    REQUIRE(shop.platform().policies().adopt());
    const auto answer = shop.why(id);
    CHECK(answer["again"]["same"] == true);
    CHECK(answer["again"]["policy_version"] == version);
    CHECK(decided(answer, "email")["outcome"] == "allow");
}

TEST_CASE("a decision that was asked for, and one for Google, can be made again too") {
    Shop shop;
    cdp::DecisionQuestion question;
    question.identifiers = {{"email", "a@shop.example"}};
    question.purpose = "email_marketing";
    const auto told = shop.platform().decide(
        {.who = PlatformWorld::channel("email_tool"), .route = "POST /test"}, {question});
    REQUIRE(told);
    const auto asked =
        shop.why(json::parse(**told).at("answers").at(0).at("decision").get<std::string>());
    CHECK(asked["again"]["made_by"] == "question");
    CHECK(asked["again"]["same"] == true);
    CHECK(asked["again"]["decisions"][0]["purpose"] == "email_marketing");
    CHECK(decided(asked, "email")["outcome"] == "allow");

    // Of several identifiers nobody can say which they were: the row alone explains it.
    question.identifiers.push_back({"email", "z@shop.example"});
    const auto both = shop.platform().decide(
        {.who = PlatformWorld::channel("email_tool"), .route = "POST /test"}, {question});
    REQUIRE(both);
    const auto row =
        shop.why(json::parse(**both).at("answers").at(0).at("decision").get<std::string>());
    CHECK(row["again"]["same"] == false);
    CHECK(row["again"]["why"].is_string());
    CHECK(row["again"]["decisions"].empty());
    CHECK(row["rows"].size() == 1);
}

TEST_CASE("a decision that nothing of the person rests on is unknown") {
    Shop shop;
    const auto id = shop.read().at("decision").get<std::string>();
    CHECK(shop.why(std::string(32, '0'))["error"] == "decision_unknown");
    CHECK(shop.why("12")["error"] == "decision_unknown");
    CHECK(shop.why(id, "user_id", "u9")["error"] == "person_unknown");
    shop.consent("email", "b@shop.example", "email_marketing", "granted");
    CHECK(shop.why(id, "email", "b@shop.example")["error"] == "decision_unknown");
    CHECK(shop.audited("decision", {.id = id})["error"] == "subject_required");
}
