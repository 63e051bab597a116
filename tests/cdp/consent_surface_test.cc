#include <future>

#include "cdp/consent_history.h"
#include "cdp/decisions.h"
#include "cdp/notices.h"
#include "cdp/policy_versions.h"
#include "cdp/quarantines.h"
#include "tests/cdp/stewardship_world.h"

namespace {

using cdp::ConsentRequest;
using nlohmann::json;
using tests::PlatformWorld;

using Outcome = cdp::Result<std::vector<cdp::RecordedConsent>>;

cdp::Principal crm() {
    return PlatformWorld::source("crm", cdp::Trust::server);
}
cdp::Principal officer() {
    return {.role = cdp::Role::officer, .name = "lee", .channel = "", .trust = {}};
}
cdp::Reader reader(const cdp::Principal& who) {
    return {.who = who, .route = "GET /test"};
}

ConsentRequest answer(const std::string& state, const std::string& value = "a@shop.example") {
    ConsentRequest request;
    request.identifiers = {{"email", value}};
    request.purpose = "email_marketing";
    request.state = state;
    return request;
}

Outcome post(PlatformWorld& world, ConsentRequest request, const cdp::Principal& caller = crm()) {
    std::promise<Outcome> outcome;
    world.platform().record_consents(caller, {std::move(request)},
                                     [&](Outcome result) { outcome.set_value(std::move(result)); });
    return outcome.get_future().get();
}

// "granted" or why it was refused, and where.
std::string refusal(PlatformWorld& world, ConsentRequest request,
                    const cdp::Principal& caller = crm()) {
    const auto outcome = post(world, std::move(request), caller);
    return outcome ? "taken" : outcome.error().reason + " " + outcome.error().pointer;
}

json history(PlatformWorld& world, const std::string& value, cdp::PageQuery query = {}) {
    const auto page = world.platform().consents_of(reader(officer()), {"email", value}, query);
    return page ? json::parse(*page) : json{{"error", page.error().reason}};
}

json decided(PlatformWorld& world, cdp::DecisionQuestion question,
             const cdp::Principal& caller = officer()) {
    const auto body = world.platform().decide(reader(caller), {std::move(question)});
    if (!body) return {{"error", body.error().reason + " " + body.error().pointer}};
    return json::parse(**body).at("answers").at(0);
}

cdp::DecisionQuestion about(const std::string& value, const std::string& channel = "email_tool") {
    cdp::DecisionQuestion question;
    question.identifiers = {{"email", value}};
    question.purpose = "email_marketing";
    question.channel = channel;
    return question;
}

TEST_CASE("every member of an answer is kept, and told to an officer as it was sent") {
    PlatformWorld world;
    auto request = answer("granted");
    request.identifiers.push_back({"phone", "+493012345678", "weak"});
    request.channels = {"email_tool"};
    request.labels = {"contact.email"};
    request.basis = "explicit_consent";
    request.valid_until = cdp::parse_time("2030-01-01T00:00:00Z");
    request.reconfirm_due = cdp::parse_time("2028-01-01T00:00:00Z");
    request.jurisdiction = "KR";
    request.regime = "network-act-50";
    request.method = "checkbox";
    request.notice_id = "terms";
    request.notice_version = "3";
    request.evidence = {{"screenshot", std::string(64, 'a'), 12, "vault/1"}};
    request.actor = "import";
    request.receipt_id = "r-1";
    const auto taken = post(world, request);
    REQUIRE(taken);
    // Nobody has posted that notice.
    REQUIRE((*taken)[0].warnings.size() == 1);
    CHECK((*taken)[0].warnings[0].code == "notice_unknown");

    const auto page = history(world, "a@shop.example");
    REQUIRE(page["records"].size() == 1);
    const auto& record = page["records"][0];
    CHECK(record["id"] == (*taken)[0].id);
    CHECK(record["identifiers"][1] ==
          json{{"type", "phone"}, {"value", "+493012345678"}, {"strength", "weak"}});
    CHECK(record["basis"] == "explicit_consent");
    CHECK(record["valid_until"] == "2030-01-01T00:00:00.000Z");
    CHECK(record["jurisdiction"] == "KR");
    CHECK(record["notice"] == json{{"id", "terms"}, {"version", "3"}});
    CHECK(record["evidence"][0]["size"] == 12);
    CHECK(record["actor"] == json{{"kind", "import"}, {"id", "source:crm"}});
    CHECK(record["receipt_id"] == "r-1");
    CHECK(record["ledger"]["index"].is_null());
    CHECK(record["ledger"]["commitment"].get<std::string>().size() == 64);
}

TEST_CASE("what cannot be meant is refused where it stands, and nothing is recorded") {
    PlatformWorld world;
    const auto with = [](auto change) {
        auto request = answer("granted");
        change(request);
        return request;
    };
    const std::string long_text(64 * 1024, 'x');
    struct Row {
        const char* expected;
        ConsentRequest request;
    };
    const Row rows[] = {
        {"purpose_unknown /consents/0/purpose", with([](auto& r) { r.purpose = "sale"; })},
        {"channel_unknown /consents/0/channels/0", with([](auto& r) { r.channels = {"x"}; })},
        {"label_unknown /consents/0/labels/0", with([](auto& r) { r.labels = {"x"}; })},
        {"invalid_state /consents/0/state", with([](auto& r) { r.state = "yes"; })},
        {"invalid_basis /consents/0/basis", with([](auto& r) { r.basis = "habit"; })},
        {"invalid_actor /consents/0/actor", with([](auto& r) { r.actor = "bot"; })},
        {"actor_not_allowed /consents/0/actor", with([](auto& r) { r.actor = "agent"; })},
        {"invalid_strength /consents/0/identifiers/0/strength",
         with([](auto& r) { r.identifiers[0].strength = "iron"; })},
        {"malformed_identifier /consents/0/identifiers/0/value",
         with([](auto& r) { r.identifiers[0].value = "nobody"; })},
        {"malformed_jurisdiction /consents/0/jurisdiction",
         with([](auto& r) { r.jurisdiction = "Korea"; })},
        {"malformed_hash /consents/0/evidence/0/sha256",
         with([](auto& r) { r.evidence = {{"scan", "12", 1, ""}}; })},
        {"malformed_record_id /consents/0/overrides/0",
         with([](auto& r) { r.overrides = {"12"}; })},
        {"never_valid /consents/0/valid_until",
         with([](auto& r) { r.valid_until = cdp::parse_time("2001-01-01T00:00:00Z"); })},
        {"no_reask_unexpected /consents/0/no_reask_until",
         with([](auto& r) { r.no_reask_until = cdp::parse_time("2031-01-01T00:00:00Z"); })},
        {"invalid_signal /consents/0/signal/type",
         with([](auto& r) { r.signal = {{"smoke", "x"}}; })},
        {"invalid_age_band /consents/0/minor/age_band",
         with([](auto& r) { r.minor = {{"young", {}, "", ""}}; })},
        {"too_long /consents/0/notice/id", with([&](auto& r) { r.notice_id = long_text; })},
        {"too_long /consents/0/method", with([&](auto& r) { r.method = long_text; })},
        {"purpose_unknown /consents/0/purpose", with([&](auto& r) { r.purpose = long_text; })},
    };
    for (const auto& row : rows) {
        CAPTURE(row.expected);
        CHECK(refusal(world, row.request) == row.expected);
    }
    CHECK(world.exported(cdp::ExportKind::consents).empty());
    auto agent = answer("granted");
    agent.actor = "agent";
    CHECK(refusal(world, agent, officer()) == "taken");
}

TEST_CASE("a signal that nobody can read grants nothing, and may refuse") {
    PlatformWorld world;
    auto request = answer("granted");
    request.signal = {{"tcf", "CO"}};
    CHECK(refusal(world, request).ends_with(" /consents/0/signal/raw"));
    request.state = "denied";
    CHECK(refusal(world, request) == "taken");
}

TEST_CASE("a pending answer is confirmed by its token, in time, for what was asked") {
    PlatformWorld world;
    auto pending = answer("pending_doi");
    pending.idempotency_key = "signup-1";
    pending.double_opt_in.emplace().expires = cdp::parse_time("2026-11-23T12:00:00Z");
    const auto asked = post(world, pending);
    REQUIRE(asked);
    REQUIRE((*asked)[0].confirmation);
    const auto token = (*asked)[0].confirmation->token;
    CHECK(decided(world, about("a@shop.example"))["reason"] == "pending_doi");
    // The same request once more has the same token.
    world.clock().advance(std::chrono::minutes(1));
    const auto again = post(world, pending);
    REQUIRE(again);
    CHECK(*again == *asked);

    auto grant = answer("granted");
    grant.double_opt_in.emplace().request = (*asked)[0].id;
    CHECK(refusal(world, grant) == "confirmation_token_missing /consents/0/double_opt_in/token");
    grant.double_opt_in->token = "x" + token.substr(1);
    CHECK(refusal(world, grant) == "confirmation_token_wrong /consents/0/double_opt_in/token");
    grant.double_opt_in->token = token;
    auto other = grant;
    other.identifiers = {{"email", "b@shop.example"}};
    CHECK(refusal(world, other) == "confirmation_unknown /consents/0/double_opt_in/request");
    other = grant;
    other.purpose = "advertising";
    CHECK(refusal(world, other) == "confirmation_differs /consents/0/double_opt_in/request");
    REQUIRE(post(world, grant));
    CHECK(decided(world, about("a@shop.example"))["outcome"] == "allow");

    world.clock().set("2026-11-24T12:00:00Z");
    CHECK(refusal(world, grant) == "confirmation_expired /consents/0/double_opt_in/request");
}

TEST_CASE("a minor's grant rests on a guardian's that is there") {
    PlatformWorld world;
    auto child = answer("granted");
    child.minor = {{"under_13", {{"email", "g@shop.example"}}, "id card", std::string(32, '1')}};
    CHECK(refusal(world, child) == "guardian_record_unknown /consents/0/minor/guardian_record");
    const auto guardian = post(world, answer("granted", "g@shop.example"));
    REQUIRE(guardian);
    child.minor->guardian_record = (*guardian)[0].id;
    CHECK(refusal(world, child) == "taken");
    CHECK(decided(world, about("a@shop.example"))["outcome"] == "allow");
}

TEST_CASE("a notice's version has one text for ever, and a grant names no other") {
    PlatformWorld world;
    const auto& notices = world.platform().notices();
    cdp::NoticeRequest request{.id = "terms",
                               .version = "1",
                               .language = "en",
                               .purposes = {"email_marketing"},
                               .text = "May we write to you?"};
    const auto posted = notices.post(request, "officer:lee");
    REQUIRE(posted);
    CHECK(posted->made);
    CHECK_FALSE(notices.post(request, "officer:lee")->made);
    request.text = "May we sell you?";
    CHECK(notices.post(request, "officer:lee").error().reason == "notice_differs");
    request.sha256 = std::string(64, '0');
    CHECK(notices.post(request, "officer:lee").error().reason == "hash_differs");
    request.text = std::string(64 * 1024, 'x');
    CHECK(notices.post(request, "officer:lee").error().reason == "notice_too_long");
    CHECK(notices.versions("terms")->size() == 1);
    CHECK(notices.versions("other")->empty());

    auto grant = answer("granted");
    grant.notice_id = "terms";
    grant.notice_version = "1";
    grant.notice_hash = std::string(64, '0');
    CHECK(refusal(world, grant) == "notice_hash_differs /consents/0/notice/hash");
    auto refused = grant;
    refused.state = "denied";
    CHECK(post(world, refused).value()[0].warnings[0].code == "notice_hash_differs");
    grant.notice_hash = cdp::to_hex(consent::view(posted->notice.hash));
    CHECK(post(world, grant).value()[0].warnings.empty());
}

TEST_CASE("every policy that was served under is kept, once, and can be decided by again") {
    PlatformWorld world;
    REQUIRE(world.platform().policies().adopt());
    REQUIRE(world.platform().policies().adopt());
    const auto first = world.platform().policies().current();
    const auto served_from = world.clock().now();
    world.clock().advance(std::chrono::hours(1));
    cdp::Config stricter;
    stricter.policy.channels.erase(stricter.policy.channels.begin());  // email_tool
    world.restart(stricter);
    REQUIRE(world.platform().policies().adopt());
    const auto& policies = world.platform().policies();
    CHECK(policies.current() != first);
    const auto snapshot = world.store().snapshot();
    CHECK(policies.all(*snapshot)->size() == 2);
    const auto then = policies.at(*snapshot, served_from);
    REQUIRE(then);
    CHECK(then->version == first);
    CHECK(cdp::version_of(*then->policy) == first);

    REQUIRE(post(world, answer("granted")));
    CHECK(decided(world, about("a@shop.example"))["error"] ==
          "channel_unknown /questions/0/channel");
    auto question = about("a@shop.example");
    question.policy_version = cdp::to_hex(consent::view(first));
    CHECK(decided(world, question)["outcome"] == "allow");
    question.policy_version = std::string(64, '0');
    CHECK(decided(world, question)["error"] == "policy_unknown /questions/0/policy_version");
}

TEST_CASE("a decision names what it rests on, field by field, without reading data") {
    PlatformWorld world;
    const auto grant = post(world, answer("granted"));
    auto question = about("a@shop.example");
    question.fields = {"email", "birthday", "shoe_size"};
    const auto allowed = decided(world, question);
    CHECK(allowed["outcome"] == "allow");
    CHECK(allowed["identifiers"][0]["reasons"][0]["record"] == (*grant)[0].id);
    CHECK(allowed["identifiers"][0]["field_mask"][0]["outcome"] == "allow");
    CHECK(allowed["identifiers"][0]["field_mask"][1]["reason"] == "label_not_allowed");
    CHECK(allowed["identifiers"][0]["field_mask"][2]["reason"] == "unmapped");
    CHECK(allowed["policy_version"].get<std::string>().size() == 64);
    CHECK(allowed["ledger_size"] == 1);

    world.clock().advance(std::chrono::hours(1));
    const auto before = world.clock().now();
    world.clock().advance(std::chrono::hours(1));
    REQUIRE(post(world, answer("withdrawn")));
    CHECK(decided(world, question)["reason"] == "withdrawn");
    question.as_of = before;
    CHECK(decided(world, question)["outcome"] == "allow");
    question.as_of = before + std::chrono::days(1);
    CHECK(decided(world, question)["error"] == "in_the_future /questions/0/as_of");
    CHECK(decided(world, about("z@shop.example"))["reason"] == "identifier_unknown");
}

TEST_CASE("a channel asks for itself and about now") {
    PlatformWorld world;
    REQUIRE(post(world, answer("granted")));
    const auto own =
        decided(world, about("a@shop.example", ""), PlatformWorld::channel("email_tool"));
    CHECK(own["outcome"] == "allow");
    CHECK(own.dump().find("shop.example") == std::string::npos);
    CHECK(decided(world, about("a@shop.example", "ads_tool"),
                  PlatformWorld::channel("email_tool"))["error"] ==
          "channel_not_own /questions/0/channel");
    auto past = about("a@shop.example", "");
    past.as_of = world.clock().now();
    CHECK(decided(world, past, PlatformWorld::channel("email_tool"))["error"] ==
          "only_now /questions/0/as_of");
    CHECK(decided(world, about("a@shop.example"), PlatformWorld::source("web"))["error"] ==
          "server_source_required ");
}

// The decision about the e-mail address for email_tool in one of the two beliefs.
std::string believed(PlatformWorld& world, const char* which, cdp::AuditQuery query) {
    query.subject = {"email", "a@shop.example"};
    query.purpose = "email_marketing";
    query.channel = "email_tool";
    const auto body = world.audited("consent", query);
    if (body.contains("error")) return body["error"];
    return body[which]["decisions"][0]["identifiers"][0]["reason"];
}

TEST_CASE("what was believed then is told from what was known then and from what is known now") {
    PlatformWorld world;
    const auto noon = world.clock().now();
    using std::chrono::hours;
    REQUIRE(post(world, answer("granted")));
    world.clock().advance(hours(2));
    const auto two = world.clock().now();
    // Said at one, told to us at three.
    world.clock().advance(hours(1));
    auto late = answer("withdrawn");
    late.time = noon + hours(1);
    REQUIRE(post(world, late));

    CHECK(believed(world, "then", {.as_of = two}) == "granted");
    CHECK(believed(world, "now", {.as_of = two}) == "withdrawn");
    // Before she said it nothing was withdrawn, whatever is known.
    CHECK(believed(world, "now", {.as_of = noon}) == "granted");
    CHECK(believed(world, "then", {.as_of = two, .known_at = world.clock().now()}) == "withdrawn");
    CHECK(believed(world, "then", {.as_of = two, .known_at = noon - hours(1)}) == "never_asked");
    CHECK(believed(world, "then", {.as_of = two + hours(9)}) == "in_the_future");
}

TEST_CASE("a history is read page by page, each answer once, newest first") {
    PlatformWorld world;
    for (int i = 0; i < 7; ++i) {
        REQUIRE(post(world, answer(i % 2 ? "withdrawn" : "granted")));
        world.clock().advance(std::chrono::minutes(1));
    }
    std::vector<std::string> times;
    std::string cursor;
    do {
        const auto page = history(world, "a@shop.example", {.limit = 3, .cursor = cursor});
        for (const auto& record : page["records"]) times.push_back(record["time"]);
        cursor = page["next"].is_null() ? "" : page["next"].get<std::string>();
    } while (!cursor.empty());
    CHECK(times.size() == 7);
    CHECK(std::ranges::is_sorted(times, std::greater{}));
    CHECK(history(world, "z@shop.example")["error"] == "person_unknown");
}

constexpr auto kLogin =
    R"({"type":"identify","messageId":"m1","userId":"u1",)"
    R"("timestamp":"2026-11-21T11:00:00Z","traits":{"email":"a@shop.example"}})";

// u1 and the address are one person, who refused under the account.
void join_and_refuse(PlatformWorld& world) {
    REQUIRE(world.send_one(kLogin) == "accepted");
    world.consent("email", "a@shop.example", "email_marketing", "granted");
    world.clock().advance(std::chrono::minutes(1));
    world.consent("user_id", "u1", "email_marketing", "withdrawn");
    REQUIRE(decided(world, about("a@shop.example"))["reason"] == "withdrawn");
    world.clock().advance(std::chrono::minutes(1));
}

TEST_CASE("what an operator splits apart stays closed until an officer releases it") {
    PlatformWorld world;
    join_and_refuse(world);
    const auto said = tests::say(
        world, tests::request("cannot_link", {{"user_id", "u1"}, {"email", "a@shop.example"}}));
    REQUIRE(said.contains("id"));
    const std::string id = said["id"];
    CHECK(decided(world, about("a@shop.example"))["reason"] == "quarantined");
    const auto kept = world.profile("email_tool", "email", "a@shop.example", "email_marketing");
    CHECK(kept["identifiers"].empty());

    const auto& quarantines = world.platform().quarantines();
    const auto open = json::parse(*quarantines.page({}, "open"));
    REQUIRE(open["quarantines"].size() == 1);
    CHECK(open["quarantines"][0]["assertion"] == id);
    CHECK(open["quarantines"][0]["refusing"] == 1);

    CHECK(quarantines.release(id, "officer:lee", "").error().reason == "reason_required");
    const auto entries = storage::log_size(*world.store().snapshot(), consent::ledger_prefix());
    REQUIRE(quarantines.release(id, "officer:lee", "two customers, she confirmed it"));
    CHECK(*storage::log_size(*world.store().snapshot(), consent::ledger_prefix()) == *entries + 1);
    CHECK(decided(world, about("a@shop.example"))["outcome"] == "allow");
    // Not the answer that was kept from before.
    const auto free = world.profile("email_tool", "email", "a@shop.example", "email_marketing");
    CHECK(free["identifiers"].size() == 1);
    CHECK(quarantines.release(id, "officer:lee", "again").error().reason == "already_released");
    CHECK(json::parse(*quarantines.page({}, "open"))["quarantines"].empty());
    CHECK(json::parse(*quarantines.page({}, "released"))["quarantines"].size() == 1);
}

TEST_CASE("a retraction and a block quarantine as well") {
    for (const char* kind : {"retract", "block"}) {
        CAPTURE(kind);
        PlatformWorld world;
        join_and_refuse(world);
        auto request = tests::request(kind, {{"user_id", "u1"}});
        if (request.kind == "retract") request.identifiers.push_back({"email", "a@shop.example"});
        REQUIRE(tests::say(world, request).contains("id"));
        CHECK(decided(world, about("a@shop.example"))["reason"] == "quarantined");
    }
}

TEST_CASE("a revoked split leaves no quarantine, unless another one keeps them apart") {
    PlatformWorld world;
    join_and_refuse(world);
    const auto apart =
        tests::request("cannot_link", {{"user_id", "u1"}, {"email", "a@shop.example"}});
    const std::string first = tests::say(world, apart)["id"];
    const auto second = tests::say(world, tests::request("block", {{"user_id", "u1"}}));
    REQUIRE(second.contains("id"));
    REQUIRE(tests::revoke(world, first)["status"] == "revoked");
    CHECK(decided(world, about("a@shop.example"))["reason"] == "quarantined");
    REQUIRE(tests::revoke(world, second["id"])["status"] == "revoked");
    CHECK(decided(world, about("a@shop.example"))["reason"] == "withdrawn");
    CHECK(json::parse(*world.platform().quarantines().page({}, ""))["quarantines"].empty());
}

TEST_CASE("a split that the fold makes by itself is not quarantined") {
    PlatformWorld world;
    join_and_refuse(world);
    // Three accounts make an address nobody's.
    for (const char* other : {"u2", "u3"})
        world.send_one(R"({"type":"identify","messageId":")" + std::string(other) +
                       R"(","userId":")" + other + R"(","traits":{"email":"a@shop.example"}})");
    CHECK(decided(world, about("a@shop.example"))["outcome"] == "allow");
    CHECK(json::parse(*world.platform().quarantines().page({}, ""))["quarantines"].empty());
}

TEST_CASE("nothing is quarantined where nobody refused for the whole person") {
    PlatformWorld world;
    REQUIRE(world.send_one(kLogin) == "accepted");
    world.consent("user_id", "u1", "email_marketing", "withdrawn", "identifier");
    world.consent("email", "a@shop.example", "email_marketing", "granted");
    world.clock().advance(std::chrono::minutes(1));
    REQUIRE(tests::say(world, tests::request("cannot_link",
                                             {{"user_id", "u1"}, {"email", "a@shop.example"}}))
                .contains("id"));
    CHECK(decided(world, about("a@shop.example"))["outcome"] == "allow");
    CHECK(json::parse(*world.platform().quarantines().page({}, ""))["quarantines"].empty());
}

}  // namespace
