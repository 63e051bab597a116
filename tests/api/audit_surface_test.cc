#include <set>

#include "cdp/paging.h"
#include "tests/api/world.h"

namespace {

using cdp::Role;
using nlohmann::json;
using tests::Reply;
using tests::World;

const std::string kSubject = "subject=email:a%40shop.example";
const std::string kAnna = R"({"type":"email","value":"a@shop.example"})";

// Somebody who said two things, and whom a channel read twice.
struct Shop : World {
    Shop() {
        receive(R"({"type":"identify","userId":"u1","messageId":"m1","traits":{"email":)"
                R"("a@shop.example","firstName":"Ann"}})");
        for (const auto* purpose : {"email_marketing", "analytics"})
            REQUIRE(says(kAnna, purpose).status == 200);
    }
    Reply says(const std::string& identifier, const std::string& purpose = "email_marketing",
               const std::string& members = "", const std::string& headers = "") const {
        return ask("POST", "/v1/consents", bearer(till) + headers,
                   R"({"identifiers":[)" + identifier + R"(],"purpose":")" + purpose +
                       R"(","state":"granted")" + members + "}");
    }
    Reply asks(const std::string& target) const { return get(target, keys.at(Role::officer)); }
    Reply erases(const std::string& body) const {
        return post("/v1/privacy/erasures", keys.at(Role::officer), body);
    }
    Reply asserts(const std::string& body) const {
        return post("/v1/identity/assertions", keys.at(Role::steward), body);
    }
};

std::string identifier(const std::string& type, const std::string& value) {
    return json{{"type", type}, {"value", value}}.dump();
}

// Every list of the consent and audit surface that is read in pages, with what it needs to answer.
const std::vector<std::string> kLists{
    "/v1/profiles/email:a%40shop.example/consents?limit=1",
    "/v1/audit/disclosures?" + kSubject,
    "/v1/audit/access?" + kSubject,
    "/v1/audit/withheld?" + kSubject,
    "/v1/audit/recipients?" + kSubject,
    "/v1/audit/erasures?" + kSubject,
    "/v1/audit/signals?" + kSubject,
    "/v1/audit/merges?a=email:a%40shop.example&b=user_id:u1",
    "/v1/audit/records?limit=1",
    "/v1/audit/minors?limit=1",
    "/v1/audit/conflicts?limit=1",
    "/v1/audit/unmapped?limit=1",
    "/v1/audit/unused?limit=1",
    "/v1/audit/withdrawals?limit=1",
    "/v1/audit/night?since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z",
    "/v1/audit/quarantines?limit=1",
    "/v1/privacy/erasures?limit=1",
    "/v1/privacy/requests?limit=1",
    "/v1/audit/rights-requests?limit=1",
    "/v1/identity/assertions?limit=1",
};

}  // namespace

TEST_CASE("a reason that is not one line of text is refused wherever one is given") {
    const Shop shop;
    const auto refusals = [&](const std::string& why) {
        std::set<std::string> out;
        for (const auto& target : {"/v1/audit/access?" + kSubject + "&reason=" + why,
                                   "/v1/privacy/erasures?reason=" + why,
                                   "/v1/profiles/email:a%40shop.example/identity?reason=" + why,
                                   "/v1/exports/persons?reason=" + why,
                                   "/v1/withdrawals?channel=email_tool&reason=" + why,
                                   "/v1/audit/quarantines?reason=" + why})
            out.insert(shop.asks(target).refusal());
        return out;
    };
    using Refusals = std::set<std::string>;
    for (const auto* why : {"%FF", "%C2%85", "%E2%80%A8"}) {
        CAPTURE(why);
        CHECK(refusals(why) == Refusals{"400 malformed_reason /reason"});
    }
    // No parameter of anything may hold these.
    for (const auto* why : {"a%0Ab", "a%00", "%7F"}) {
        CAPTURE(why);
        CHECK(refusals(why) == Refusals{"400 malformed_target"});
    }
    const std::string most(1024, 'x');
    CHECK(shop.asks("/v1/audit/access?" + kSubject + "&reason=" + most).status == 200);
    CHECK(shop.asks("/v1/audit/access?" + kSubject + "&reason=x" + most).refusal() ==
          "400 malformed_reason /reason");
    CHECK(shop.erases(R"({"identifier":)" + kAnna + R"(,"reason":"a\nb"})").refusal() ==
          "400 malformed_reason /reason");
    CHECK(shop.asserts(R"({"kind":"block","identifiers":[)" + kAnna + R"(],"reason":"a\u0000b"})")
              .refusal() == "400 malformed_reason /reason");
}

TEST_CASE("an identifier that can be none is refused wherever one enters, and its place is named") {
    const Shop shop;
    const std::string long_name(70'000, 'x');
    struct Row {
        std::string type, value;
        const char* of_type;
        const char* of_value;
    };
    const Row rows[] = {
        {long_name, "x", "malformed_identifier_type", nullptr},
        {"no type", "x", "malformed_identifier_type", nullptr},
        {std::string("email\0", 6), "a@shop.example", "malformed_identifier_type", nullptr},
        {"email", long_name + "@shop.example", nullptr, "malformed_identifier"},
        {"user_id", std::string("a\0b", 3), nullptr, "malformed_identifier"},
        {"emial", "a@shop.example", "identifier_type_unknown", nullptr},
    };
    for (const auto& row : rows) {
        const auto named = identifier(row.type, row.value);
        CAPTURE(named.substr(0, 40));
        const std::string code = row.of_type ? row.of_type : row.of_value;
        const std::string member = row.of_type ? "/type" : "/value";
        const bool unknown = code == "identifier_type_unknown";
        CHECK(shop.says(named).refusal() ==
              "400 " + code + " /identifiers" + (unknown ? "" : "/0" + member));
        CHECK(shop.erases(R"({"identifier":)" + named + "}").refusal() ==
              "400 " + code + " /identifier");
        CHECK(shop.post("/v1/preferences/links", shop.till,
                        R"({"purpose":"email_marketing","identifier":)" + named + "}")
                  .refusal() == "400 " + code + " /identifier" + member);
        if (unknown) continue;  // somebody unknown, then
        CHECK(shop.asserts(R"({"kind":"block","reason":"x","identifiers":[)" + named + "]}")
                  .refusal() == "400 " + code + " /identifiers/0" + member);
        CHECK(shop.post("/v1/decisions", shop.keys.at(Role::channel),
                        R"({"purpose":"email_marketing","identifiers":[)" + named + "]}")
                  .refusal() == "400 " + code + " /identifiers/0");
    }
    for (const auto* asked : {"no%20type:x", "email:%FF", "person:x"}) {
        CAPTURE(asked);
        const auto subject = std::string("subject=") + asked;
        for (const auto* what :
             {"access?", "erasures?", "gpc?", "consent?as_of=2026-01-01T00:00:00Z&"}) {
            const auto said = shop.asks(std::string("/v1/audit/") + what + subject).json();
            CHECK(said.value("status", 0) == 400);
            CHECK(said.value("pointer", "") == "/subject");
        }
        const auto path = std::string("/v1/profiles/") + asked;
        CHECK(shop.asks(path + "/consents").json().value("pointer", "") == "/identifier");
        CHECK(shop.get(path + "?purpose=email_marketing", shop.keys.at(Role::channel))
                  .json()
                  .value("pointer", "") == "/identifier");
    }
    CHECK(shop.asks("/v1/audit/erasures?subject=emial:a%40shop.example").refusal() ==
          "400 identifier_type_unknown /subject");
}

TEST_CASE("a type that nobody configured is known by what was seen with it") {
    const Shop shop;
    const auto badge = identifier("badge", "b1");
    CHECK(shop.says(badge).code() == "identifier_type_unknown");
    shop.receive(R"({"type":"identify","userId":"u1","messageId":"m2","context":{"externalIds":[)"
                 R"({"id":"b1","type":"badge","collection":"users","encoding":"none"}]}})");
    CHECK(shop.says(badge).status == 200);
    CHECK(shop.asks("/v1/audit/erasures?subject=badge:b1").json()["held"] == true);
    REQUIRE(shop.erases(R"({"scope":"identifier","identifier":)" + badge + "}").status == 200);
    CHECK(shop.asks("/v1/audit/erasures?subject=badge:b1").json()["held"] == false);
    CHECK(shop.asks("/v1/audit/erasures?subject=badge:b2").code() == "identifier_type_unknown");
}

TEST_CASE("what names a request, and a text of an answer, is a bounded line") {
    const Shop shop;
    const std::string id(255, 'k');
    CHECK(shop.says(kAnna, "analytics", R"(,"id":")" + id + "\"").status == 200);
    const std::string refused = "400 malformed_idempotency_key /id";
    CHECK(shop.says(kAnna, "analytics", R"(,"id":"x)" + id + "\"").refusal() == refused);
    CHECK(shop.says(kAnna, "analytics", R"(,"id":"a\u0000b")").refusal() == refused);
    const auto with_key = [&](std::size_t bytes) {
        return shop.says(kAnna, "analytics", "",
                         "Idempotency-Key: " + std::string(bytes, 'k') + "\r\n");
    };
    CHECK(with_key(255).status == 200);
    CHECK(with_key(8000).refusal() == "400 malformed_idempotency_key /Idempotency-Key");
    CHECK(shop.says(kAnna, "analytics", R"(,"method":"a\u0000b")").refusal() ==
          "400 malformed_text /method");
    CHECK(shop.says(kAnna, "analytics", R"(,"regime":"a\nb")").refusal() ==
          "400 malformed_text /regime");
    const auto assertion =
        shop.ask("POST", "/v1/identity/assertions",
                 World::bearer(shop.keys.at(Role::steward)) +
                     "Idempotency-Key: " + std::string(300, 'k') + "\r\n",
                 R"({"kind":"block","reason":"x","identifiers":[)" + kAnna + "]}");
    CHECK(assertion.refusal() == "400 malformed_idempotency_key /Idempotency-Key");
}

TEST_CASE("what is wrong with a document, or a path, names its place") {
    const Shop shop;
    CHECK(shop.post("/v1/consents", shop.till, R"({"consents":[{},{"a":[{"b":1,"b":2}]}]})")
              .refusal() == "400 duplicate_key /consents/1/a/0/b");
    CHECK(shop.post("/v1/consents", shop.till, R"({"a/b":1,"a\/b":2})").refusal() ==
          "400 duplicate_key /a~1b");
    CHECK(shop.asks("/v1/receipts/x?" + kSubject).refusal() == "400 malformed_record_id /record");
    CHECK(shop.asks("/v1/ledger/proofs/x").refusal() == "400 malformed_index /index");
}

TEST_CASE("a cursor goes on with the question that gave it out, and with no other") {
    const Shop shop;
    std::vector<std::pair<std::string, std::string>> given;
    for (const auto& list : kLists) {
        const auto next = shop.asks(list).json().value("next", json());
        if (next.is_string()) given.emplace_back(list, next);
    }
    REQUIRE(given.size() >= 2);
    for (const auto& [from, cursor] : given)
        for (const auto& list : kLists) {
            CAPTURE(from, list, cursor);
            const auto reply = shop.asks(list + "&cursor=" + cursor);
            if (from == list)
                CHECK(reply.status == 200);
            else
                CHECK(reply.refusal() == "400 malformed_cursor /cursor");
        }
    // Of as many bytes as a place has, too.
    for (const std::size_t bytes : {8U, 16U, 24U, 28U, 32U}) {
        const auto cursor = cdp::cursor_to("something else", std::string(bytes, 'x'));
        for (const auto& list : kLists)
            CHECK(shop.asks(list + "&cursor=" + cursor).refusal() ==
                  "400 malformed_cursor /cursor");
    }
}

TEST_CASE("a period that ends before it begins is refused by every question that has one") {
    const Shop shop;
    const std::string period = "since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z";
    for (const auto& question :
         {"disclosures?" + kSubject + "&", "access?" + kSubject + "&", "withheld?" + kSubject + "&",
          "recipients?" + kSubject + "&", "signals?" + kSubject + "&", std::string("night?"),
          std::string("purpose-limitation?collected_for=analytics&")}) {
        CAPTURE(question);
        CHECK(shop.asks("/v1/audit/" + question + period).refusal() == "400 empty_period /until");
    }
}

TEST_CASE("each of several decisions is listed under its own id") {
    const Shop shop;
    const auto question = [](const std::string& value) {
        return R"({"purpose":"email_marketing","identifiers":[)" + value + "]}";
    };
    const auto reply = shop.post(
        "/v1/decisions", shop.keys.at(Role::channel),
        R"({"questions":[)" + question(kAnna) + "," + question(identifier("user_id", "u1")) + "]}");
    REQUIRE(reply.status == 200);
    const auto answers = reply.json()["answers"];
    REQUIRE(answers.size() == 2);
    REQUIRE(answers[0]["decision"] != answers[1]["decision"]);
    for (const auto& answer : answers) {
        const auto told = shop.asks("/v1/audit/decisions/" + answer["decision"].get<std::string>() +
                                    "?" + kSubject);
        INFO(told.body);
        REQUIRE(told.status == 200);
        CHECK(told.json()["rows"].size() == 1);
    }
}
