#include "cdp/decisions.h"
#include "tests/cdp/stewardship_world.h"
#include "tests/support/seeds.h"

namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::minutes;
using tests::PlatformWorld;

cdp::AuditSubject user(const std::string& value = "u1") {
    return {"user_id", value};
}
cdp::AuditSubject mail(const std::string& value = "a@shop.example") {
    return {"email", value};
}

// An account and an address that are two persons, until they are joined.
struct Shop : PlatformWorld {
    explicit Shop(cdp::Config config = {}) : PlatformWorld(std::move(config)) {
        REQUIRE(send_one(R"({"type":"track","event":"Seen","messageId":"m1","userId":"u1"})") ==
                "accepted");
        consent("email", "a@shop.example", "email_marketing", "granted");
        clock().advance(minutes(1));
    }

    void join() {
        clock().advance(minutes(1));
        REQUIRE(send_one(R"({"type":"identify","messageId":"m2","userId":"u1",)"
                         R"("traits":{"email":"a@shop.example"}})") == "accepted");
    }
    json ask(cdp::AuditQuery query = {}) {
        if (!query.a) query.a = user();
        if (!query.b) query.b = mail();
        return audited("merge", query);
    }
    json decided(const cdp::AuditSubject& who, const std::string& purpose,
                 const std::string& channel) {
        cdp::DecisionQuestion question;
        question.identifiers = {{who.type, who.value}};
        question.purpose = purpose;
        question.channel = channel;
        const auto body = platform().decide(officer(), {question});
        REQUIRE(body);
        return json::parse(**body).at("answers").at(0);
    }
};

}  // namespace

TEST_CASE(
    "what a merge closed is told, with the record that closed it and what unmerging restores") {
    Shop shop;
    shop.consent("user_id", "u1", "email_marketing", "withdrawn");
    const auto before = shop.clock().now();
    shop.join();
    const auto answer = shop.ask();
    CHECK(answer["today"] == "one");
    CHECK(answer["compares"] == "unmerge");
    CHECK(answer["merge"]["time"] == cdp::format_time(before + minutes(1)));
    CHECK(answer["merge"]["change"]["kind"] == "merged");
    CHECK(answer["merge"]["change"]["cause"] == "evidence");
    CHECK(answer["merge"]["a_was"] != answer["merge"]["b_was"]);
    CHECK(answer["side_a"] == json{{{"type", "user_id"}, {"value", "u1"}}});
    CHECK(answer["side_b"] == json{{{"type", "email"}, {"value", "a@shop.example"}}});
    REQUIRE(answer["differences"].size() == 1);
    const auto& one = answer["differences"][0];
    CHECK(one["purpose"] == "email_marketing");
    CHECK(one["channel"] == "email_tool");
    CHECK(one["identifier"] == json{{"type", "email"}, {"value", "a@shop.example"}});
    CHECK(one["as_one"]["outcome"] == "deny");
    CHECK(one["as_one"]["reason"] == "withdrawn");
    CHECK(one["as_one"]["record"].is_string());
    CHECK(one["apart"]["outcome"] == "allow");
    CHECK(one["apart"]["record"] != one["as_one"]["record"]);
    CHECK(answer["widened"] == 0);
    CHECK(answer["narrowed"] == 1);
    CHECK(answer["next"].is_null());
    CHECK(shop.ask({.purpose = "analytics"})["differences"].empty());
    CHECK(shop.ask({.channel = "email_tool"})["differences"] == answer["differences"]);
}

TEST_CASE("what merging would change is what it changes") {
    Shop shop;
    shop.consent("user_id", "u1", "email_marketing", "withdrawn");
    const auto foretold = shop.ask();
    CHECK(foretold["today"] == "two");
    CHECK(foretold["compares"] == "merge");
    CHECK(foretold["merge"].is_null());
    shop.join();
    CHECK(shop.ask()["differences"] == foretold["differences"]);
}

TEST_CASE("a merge widens only where an address opens the data of whom it belongs to") {
    Shop shop;
    shop.join();
    const auto answer = shop.ask();
    REQUIRE(answer["differences"].size() == 1);
    CHECK(answer["differences"][0]["identifier"]["type"] == "user_id");
    CHECK(answer["differences"][0]["as_one"]["reason"] == "granted");
    CHECK(answer["differences"][0]["apart"]["reason"] == "never_asked");
    CHECK(answer["widened"] == 1);
    CHECK(answer["narrowed"] == 0);
}

TEST_CASE("an assertion that joined two is named") {
    Shop shop;
    shop.clock().advance(hours(1));
    const auto said = tests::say(
        shop, tests::request("must_link", {{"user_id", "u1"}, {"email", "a@shop.example"}}));
    const auto answer = shop.ask();
    CHECK(answer["merge"]["change"]["cause"] == "assertion");
    CHECK(answer["merge"]["change"]["assertion"] == said["id"]);
    // Two again: it is told what they would be.
    REQUIRE(tests::revoke(shop, said["id"])["status"] == "revoked");
    CHECK(shop.ask()["today"] == "two");
}

TEST_CASE("who was never two has nothing to restore") {
    PlatformWorld world;
    REQUIRE(world.send_one(R"({"type":"identify","messageId":"m1","userId":"u1",)"
                           R"("traits":{"email":"a@shop.example"}})") == "accepted");
    const auto answer = world.audited("merge", {.a = user(), .b = mail()});
    CHECK(answer["reason"] == "never_two");
    CHECK(answer["differences"].empty());
    CHECK(answer["widened"] == 0);
    CHECK(world.audited("merge", {.a = user(), .b = user()})["reason"] == "same_identifier");
}

TEST_CASE("an identifier that came later is of neither side") {
    Shop shop;
    shop.join();
    REQUIRE(shop.send_one(R"({"type":"identify","messageId":"m3","userId":"u1",)"
                          R"("anonymousId":"c1"})") == "accepted");
    const auto answer = shop.ask();
    CHECK(answer["of_neither"] == json{{{"type", "anonymous_id"}, {"value", "c1"}}});
    CHECK(answer["side_a"].size() == 1);
}

TEST_CASE("a comparison is refused where it cannot be meant") {
    Shop shop;
    CHECK(shop.audited("merge", {.b = mail()})["error"] == "subject_required");
    CHECK(shop.ask({.a = user("u9")})["error"] == "person_unknown");
    CHECK(shop.ask({.b = mail("nobody")})["error"] == "malformed_identifier");
    CHECK(shop.ask({.purpose = "x"})["error"] == "purpose_unknown");
    CHECK(shop.ask({.channel = "x"})["error"] == "channel_unknown");
    CHECK(shop.ask({.page = {.cursor = "x"}})["error"] == "malformed_cursor");
    CHECK(shop.ask({.page = {.limit = 0}})["error"] == "limit_out_of_range");
}

TEST_CASE("differences page as a whole, and are what is decided before and after") {
    const auto seed = GENERATE(tests::seeds(10));
    CAPTURE(seed);
    cdp::Random random(seed);
    Shop shop(tests::config_with_desk({"service", "analytics", "advertising"}, {{"commerce"}}));
    constexpr std::array kPurposes{"email_marketing", "analytics", "advertising"};
    constexpr std::array kStates{"granted", "denied", "withdrawn"};
    for (int i = 0; i < 8; ++i) {
        shop.clock().advance(minutes(1));
        const auto purpose = kPurposes[random.below(3)];
        const auto state = kStates[random.below(3)];
        if (random.one_in(2))
            shop.consent("user_id", "u1", purpose, state);
        else
            shop.consent("email", "a@shop.example", purpose, state);
    }
    struct Asked {
        cdp::AuditSubject who;
        std::string purpose, channel;
        json decision;
    };
    std::vector<Asked> asked;
    for (const auto& who : {user(), mail()})
        for (const auto* purpose : kPurposes)
            for (const auto* channel : {"email_tool", "ads_tool", "desk"})
                asked.push_back(
                    {who, purpose, channel, shop.decided(who, purpose, channel)["reason"]});
    shop.join();
    const auto whole = shop.ask({.page = {.limit = 1000}});
    json paged = json::array();
    cdp::PageQuery page{.limit = 1};
    do {
        const auto answer = shop.ask({.page = page});
        for (const auto& one : answer["differences"]) paged.push_back(one);
        page.cursor = answer["next"].is_null() ? "" : answer["next"].get<std::string>();
    } while (!page.cursor.empty());
    CHECK(paged == whole["differences"]);
    std::size_t changed = 0;
    for (const auto& one : asked) {
        const auto now = shop.decided(one.who, one.purpose, one.channel)["reason"];
        const auto told = std::ranges::find_if(whole["differences"], [&](const json& difference) {
            return difference["purpose"] == one.purpose && difference["channel"] == one.channel &&
                   difference["identifier"]["type"] == one.who.type;
        });
        if (now == one.decision) continue;
        ++changed;
        REQUIRE(told != whole["differences"].end());
        CHECK((*told)["as_one"]["reason"] == now);
        CHECK((*told)["apart"]["reason"] == one.decision);
    }
    CHECK(whole["differences"].size() >= changed);
}
