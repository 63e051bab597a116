#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "cdp/audit_scan.h"
#include "cdp/base/random.h"
#include "cdp/disclosures.h"
#include "cdp/notices.h"
#include "tests/cdp/audit_scanning.h"
#include "tests/support/seeds.h"

// The officers' questions that are answered from what was recorded, by reading all of it.
namespace {

using cdp::AuditQuery;
using nlohmann::json;
using tests::answer_of;
using tests::audited_list;
using tests::PlatformWorld;
using tests::record;

constexpr const char* kA = "a@shop.example";
constexpr const char* kB = "b@shop.example";

cdp::Principal officer() {
    return {.role = cdp::Role::officer, .name = "lee", .channel = "", .trust = {}};
}

void post_notice(PlatformWorld& world, const std::string& version,
                 const std::vector<std::string>& purposes, const std::string& language = "en") {
    REQUIRE(world.platform().notices().post({.id = "terms",
                                             .version = version,
                                             .language = language,
                                             .purposes = purposes,
                                             .text = "What we do, " + version + language},
                                            "officer:lee"));
}

cdp::ConsentRequest shown(cdp::ConsentRequest request, const std::string& version) {
    request.notice_id = "terms";
    request.notice_version = version;
    request.notice_language = "en";
    return request;
}

cdp::ConsentRequest mail(const std::string& value, const std::string& state) {
    return answer_of("email", value, "email_marketing", state);
}

json grants(PlatformWorld& world, const std::string& version, const std::string& status = "") {
    AuditQuery query{.id = "terms", .version = version, .status = status};
    return audited_list(world, "notice", query, "grants");
}

std::string refusal(PlatformWorld& world, std::string_view verb, const AuditQuery& query) {
    for (const auto& question : cdp::audit_questions()) {
        if (question.verb != verb) continue;
        const auto answer = world.platform().audit(PlatformWorld::officer(), question, query);
        return answer ? "answered" : answer.error().reason + " " + answer.error().pointer;
    }
    return "no such question";
}

// Who was told of to whoever asks; by how often.
std::size_t looks_at(PlatformWorld& world, const std::string& type, const std::string& value) {
    const auto page =
        world.platform().disclosures().of_subject(world.vault().token(type, value), {});
    REQUIRE(page);
    return page->rows.size();
}

}  // namespace

TEST_CASE("a grant rests on a version of a notice as long as it is the newest word") {
    PlatformWorld world;
    post_notice(world, "3", {"email_marketing"});
    const auto granted = record(world, shown(mail(kA, "granted"), "3"));
    record(world, shown(mail(kB, "granted"), "3"));
    record(world, shown(answer_of("email", kA, "advertising", "granted"), "2"));

    auto found = grants(world, "3");
    REQUIRE(found.size() == 2);
    const auto of_a = std::ranges::find_if(
        found, [](const json& one) { return one["identifier"]["value"] == kA; });
    REQUIRE(of_a != found.end());
    CHECK((*of_a)["record"] == granted);
    CHECK((*of_a)["purpose"] == "email_marketing");
    CHECK((*of_a)["language"] == "en");
    CHECK((*of_a)["in_force"] == true);
    CHECK((*of_a)["person"].get<std::string>().size() == 32);
    CHECK((*of_a)["decides"] == json::array({{{"purpose", "email_marketing"},
                                              {"channel", "email_tool"},
                                              {"outcome", "allow"},
                                              {"reason", "granted"},
                                              {"record", granted}}}));
    CHECK(looks_at(world, "email", kA) > 0);

    world.clock().advance(std::chrono::minutes{1});
    record(world, mail(kA, "withdrawn"));
    found = grants(world, "3");
    REQUIRE(found.size() == 1);
    CHECK(found[0]["identifier"]["value"] == kB);
    CHECK(grants(world, "3", "all").size() == 2);

    // The newer grant rests on another version.
    world.clock().advance(std::chrono::minutes{1});
    post_notice(world, "4", {"email_marketing", "analytics"});
    record(world, shown(mail(kB, "granted"), "4"));
    CHECK(grants(world, "3").empty());
    CHECK(grants(world, "4").size() == 1);
}

TEST_CASE("a grant that ran out, or is of somebody whose every word is refused, is told as that") {
    PlatformWorld world;
    post_notice(world, "1", {"email_marketing"});
    auto brief = shown(mail(kA, "granted"), "1");
    brief.valid_until = world.clock().now() + std::chrono::hours{1};
    record(world, brief);
    record(world, shown(mail(kB, "granted"), "1"));
    CHECK(grants(world, "1").size() == 2);
    world.clock().advance(std::chrono::hours{1});
    // Another identifier of the same person refuses for all of it.
    world.send_one(R"({"type":"identify","messageId":"m","userId":"u","traits":{"email":")" +
                   std::string(kB) + R"("}})");
    record(world, answer_of("user_id", "u", "email_marketing", "withdrawn"));
    const auto found = grants(world, "1");
    REQUIRE(found.size() == 1);
    CHECK(found[0]["in_force"] == true);
    CHECK(found[0]["decides"][0]["outcome"] == "deny");
    CHECK(found[0]["decides"][0]["reason"] == "withdrawn");
}

TEST_CASE("what a version widens is what nothing of the other covers") {
    cdp::Config config;
    config.policy.purposes.push_back({.name = "marketing/post"});
    PlatformWorld world(config);
    post_notice(world, "1", {"marketing", "analytics"});
    post_notice(world, "2", {"email_marketing"}, "de");
    post_notice(world, "2", {"marketing/post"}, "en");
    AuditQuery query{.id = "terms", .version = "1", .against = "2"};
    auto told = world.audited("notice", query);
    CHECK(told["widened"] == json{"email_marketing"});
    CHECK(told["narrowed"] == json{"analytics", "marketing"});
    CHECK(told["grants"].empty());
    CHECK(told["next"].is_null());
    query = {.id = "terms", .version = "2", .against = "1"};
    told = world.audited("notice", query);
    CHECK(told["widened"] == json{"analytics", "marketing"});
    CHECK(told["narrowed"] == json{"email_marketing"});

    CHECK(refusal(world, "notice", {.id = "terms"}) == "version_required /version");
    CHECK(refusal(world, "notice", {.id = "terms", .version = "9"}) == "notice_unknown /version");
    CHECK(refusal(world, "notice", {.id = "other", .version = "1"}) == "notice_unknown /version");
    CHECK(refusal(world, "notice", {.id = "terms", .version = "1", .against = "9"}) ==
          "notice_unknown /against");
    CHECK(refusal(world, "notice", {.id = "terms", .version = "1", .status = "open"}) ==
          "invalid_status /status");
    CHECK(refusal(world, "notice",
                  {.id = "terms", .version = "1", .page = {.limit = 5, .cursor = "zz"}}) ==
          "malformed_cursor /cursor");
}

TEST_CASE("a confirmed opt-in rests on the notice that was shown with the request") {
    PlatformWorld world;
    post_notice(world, "1", {"email_marketing"});
    auto pending = shown(mail(kA, "pending_doi"), "1");
    pending.double_opt_in = {.expires = world.clock().now() + std::chrono::hours{24}};
    std::promise<cdp::Result<std::vector<cdp::RecordedConsent>>> outcome;
    world.platform().record_consents(PlatformWorld::source("crm", cdp::Trust::server), {pending},
                                     [&](auto result) { outcome.set_value(std::move(result)); });
    const auto asked = outcome.get_future().get();
    REQUIRE(asked);
    REQUIRE(asked->front().confirmation);
    CHECK(grants(world, "1").empty());
    world.clock().advance(std::chrono::minutes{1});
    auto confirmed = mail(kA, "granted");
    confirmed.double_opt_in = {.request = asked->front().id,
                               .token = asked->front().confirmation->token};
    const auto id = record(world, confirmed);
    const auto found = grants(world, "1");
    REQUIRE(found.size() == 1);
    CHECK(found[0]["record"] == id);
}

TEST_CASE("a guardian's proof is the guardian's own grant, that covers the answer and holds") {
    PlatformWorld world;
    const auto guardian_says = [&](const std::string& state, const std::string& purpose) {
        return record(world, answer_of("email", "parent@shop.example", purpose, state));
    };
    const auto good = guardian_says("granted", "advertising");
    const auto narrow = guardian_says("granted", "analytics");
    const auto denied = guardian_says("denied", "email_marketing");
    struct Row {
        const char* child;
        bool guardian;
        std::string guardian_record;
        const char* lacks;
    };
    const std::vector<Row> rows = {
        {"c1", false, "", "guardian_unnamed"},
        {"c2", true, "", "guardian_record_unnamed"},
        {"c3", true, std::string(32, 'a'), "guardian_record_unknown"},
        {"c4", true, denied, "guardian_record_no_grant"},
        {"c5", true, narrow, "guardian_record_covers_less"},
        {"c6", true, good, ""},
    };
    for (const auto& row : rows) {
        // A grant is taken only with a guardian's that is there and covers it.
        const bool taken = row.guardian_record.empty() || row.guardian_record == good;
        auto request = answer_of("user_id", row.child, "advertising", taken ? "granted" : "denied");
        request.minor = {.age_band = "under_13", .verification = "card"};
        if (row.guardian)
            request.minor->guardian = {{.type = "email", .value = "parent@shop.example"}};
        request.minor->guardian_record = row.guardian_record;
        record(world, request);
    }
    record(world, answer_of("user_id", "grown", "advertising", "granted"));

    const auto all = audited_list(world, "minors", {}, "records");
    REQUIRE(all.size() == rows.size());
    for (const auto& row : rows) {
        CAPTURE(row.child);
        const auto one = std::ranges::find_if(
            all, [&](const json& found) { return found["identifiers"][0]["value"] == row.child; });
        REQUIRE(one != all.end());
        CHECK((*one)["age_band"] == "under_13");
        CHECK((*one)["verification"] == "card");
        CHECK((*one)["actor"] == json{{"kind", "api"}, {"id", "source:crm"}});
        CHECK((*one)["source"] == "crm");
        CHECK((*one)["guardian_proof"] == std::string(row.lacks).empty());
        CHECK((*one).value("lacks", "") == row.lacks);
        CHECK((*one)["guardian"].is_null() != row.guardian);
    }
    AuditQuery query{.status = "present"};
    const auto present = audited_list(world, "minors", query, "records");
    REQUIRE(present.size() == 1);
    CHECK(present[0]["guardian"]["value"] == "parent@shop.example");
    CHECK(present[0]["guardian_record"]["id"] == good);
    CHECK(present[0]["guardian_record"]["covers"] == true);
    query.status = "missing";
    CHECK(audited_list(world, "minors", query, "records").size() == rows.size() - 1);
    CHECK(looks_at(world, "email", "parent@shop.example") > 0);

    world.clock().advance(std::chrono::minutes{1});
    guardian_says("withdrawn", "advertising");
    query.status = "present";
    CHECK(audited_list(world, "minors", query, "records").empty());
    CHECK(refusal(world, "minors", {.status = "x"}) == "invalid_status /status");
}

TEST_CASE("what others recorded is told by who they are, with its evidence or without") {
    PlatformWorld world;
    auto imported = mail(kA, "granted");
    imported.identifiers.push_back({"user_id", "u1"});
    imported.actor = "import";
    imported.evidence = {{"scan", std::string(64, 'a'), 12, "vault/1"}};
    const auto id = record(world, imported);
    auto bare = mail(kB, "granted");
    bare.actor = "import";
    bare.method = "paper";
    record(world, bare);
    auto own = mail(kA, "denied");
    own.actor = "self";
    record(world, own);
    auto by_agent = mail(kB, "withdrawn");
    by_agent.actor = "agent";
    record(world, by_agent, officer());
    record(world, mail("c@shop.example", "denied"));

    const auto count = [&](const std::string& actor, const std::string& status) {
        return audited_list(world, "records", {.actor = actor, .status = status}, "records").size();
    };
    CHECK(count("", "") == 4);
    CHECK(count("import", "") == 2);
    CHECK(count("import", "unproven") == 1);
    CHECK(count("self", "") == 1);
    CHECK(count("agent", "unproven") == 1);
    CHECK(count("officer", "") == 0);
    const auto proven = audited_list(world, "records", {.status = "proven"}, "records");
    REQUIRE(proven.size() == 1);
    const auto& one = proven[0];
    CHECK(one["id"] == id);
    CHECK(one["actor"] == json{{"kind", "import"}, {"id", "source:crm"}});
    CHECK(one["evidence"] == json::array({{{"kind", "scan"}, {"sha256", std::string(64, 'a')}}}));
    CHECK(one["identifiers"].size() == 2);
    CHECK(one["identifiers"][0]["person"].is_string());
    CHECK(one["state"] == "granted");
    CHECK(refusal(world, "records", {.actor = "bot"}) == "invalid_actor /actor");
    CHECK(refusal(world, "records", {.page = {.limit = 0}}) == "limit_out_of_range /limit");
}

TEST_CASE("questions about everybody have an answer when there is nobody") {
    PlatformWorld world;
    CHECK(world.audited("records", {}) == json{{"records", json::array()}, {"next", nullptr}});
    CHECK(world.audited("minors", {}) == json{{"records", json::array()}, {"next", nullptr}});
    CHECK(world.audited("conflicts", {}) == json{{"persons", json::array()}, {"next", nullptr}});
}

namespace {

// A history in which it is known, without the platform, who is to be told.
struct Sent {
    std::string id = {};
    std::string who = {};
    std::string actor = {};
    bool proven = false;
    std::string version = {};  // of the notice
    bool granted = false;
};

}  // namespace

TEST_CASE("of any history exactly what was asked for is told") {
    const auto seed = GENERATE(tests::seeds(12));
    CAPTURE(seed);
    cdp::Random random{seed};
    PlatformWorld world;
    post_notice(world, "1", {"email_marketing"});
    post_notice(world, "2", {"email_marketing"});
    std::vector<Sent> sent;
    for (int i = 0; i < 30; ++i) {
        world.clock().advance(std::chrono::minutes{1});
        const auto actor = std::vector<std::string>{"import", "self", "api"}[random.below(3)];
        Sent one{.who = "p" + std::to_string(random.below(8)) + "@shop.example",
                 .actor = actor,
                 .proven = random.one_in(2),
                 .version = random.one_in(2) ? "1" : "2",
                 .granted = !random.one_in(3)};
        auto request = shown(mail(one.who, one.granted ? "granted" : "denied"), one.version);
        request.actor = one.actor;
        if (one.proven) request.evidence = {{"scan", std::string(64, 'b'), 1, ""}};
        one.id = record(world, request);
        sent.push_back(one);
    }
    for (const auto* actor : {"import", "self", "api"})
        for (const bool proven : {true, false}) {
            std::set<std::string> expected;
            for (const auto& one : sent)
                if (one.actor == actor && one.proven == proven) expected.insert(one.id);
            std::set<std::string> told;
            const AuditQuery query{.actor = actor, .status = proven ? "proven" : "unproven"};
            for (const auto& one : audited_list(world, "records", query, "records"))
                told.insert(one["id"]);
            CHECK(told == expected);
        }
    // The last answer of each counts; an import without evidence takes no denial back.
    std::map<std::string, const Sent*> last;
    for (const auto& one : sent) {
        auto& now = last[one.who];
        const bool powerless = one.granted && one.actor == "import" && !one.proven;
        if (!(powerless && now && !now->granted)) now = &one;
    }
    for (const auto* version : {"1", "2"}) {
        std::set<std::string> expected;
        for (const auto& [who, one] : last)
            if (one->granted && one->version == version) expected.insert(one->id);
        std::set<std::string> told;
        for (const auto& one : grants(world, version)) told.insert(one["record"]);
        CHECK(told == expected);
    }
}
