#include "cdp/disclosures.h"
#include "cdp/policy_versions.h"
#include "tests/cdp/stewardship_world.h"

namespace {

using nlohmann::json;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using tests::PlatformWorld;

constexpr auto kPhone = "+821012345678";

// Messages by text and by e-mail, and whose address may be asked for.
cdp::Config shop_config() {
    cdp::Config config;
    auto& policy = config.policy;
    policy.purposes.push_back({.name = "sms_marketing",
                               .regime = consent::Regime::identifier_opt_in,
                               .target_types = {"phone"}});
    policy.purposes.push_back({.name = "order_messages", .regime = consent::Regime::contract});
    policy.purposes.push_back({.name = "security", .regime = consent::Regime::contract});
    policy.channels[0].medium = consent::Medium::email;
    policy.channels.push_back({.id = "sms_tool",
                               .recipient = "The text message tool",
                               .country = "KR",
                               .purposes = {"sms_marketing", "order_messages", "advertising"},
                               .labels = {{"contact.phone"}, {"name"}, {"commerce"}, {"behaviour"}},
                               .medium = consent::Medium::sms});
    return config;
}

struct Shop : PlatformWorld {
    explicit Shop(cdp::Config config = shop_config()) : PlatformWorld(std::move(config)) {
        clock().set("2026-11-21T03:00:00Z");  // noon in Seoul
    }

    void say(const std::string& purpose, const std::string& state,
             const std::string& jurisdiction = "", const std::string& phone = kPhone) {
        cdp::ConsentRequest request;
        request.identifiers = {{"phone", phone}};
        request.purpose = purpose;
        request.state = state;
        request.jurisdiction = jurisdiction;
        bool stored = false;
        platform().record_consents(source("crm", cdp::Trust::server), {request},
                                   [&](const auto& result) { stored = static_cast<bool>(result); });
        REQUIRE(stored);
    }
    void send_text(const std::string& purpose = "sms_marketing",
                   const std::string& phone = kPhone) {
        REQUIRE_FALSE(profile("sms_tool", "phone", phone, purpose).contains("error"));
        clock().advance(minutes(1));
        REQUIRE(platform().disclosures().drain());
    }
    json night(cdp::AuditQuery query = {}) {
        if (!query.since) query.since = cdp::parse_time("2026-11-01T00:00:00Z");
        if (!query.until) query.until = cdp::parse_time("2026-12-31T00:00:00Z");
        return audited("night", query);
    }
};

// Every page, with the list under the name.
json pages(PlatformWorld& world, std::string_view verb, cdp::AuditQuery query, const char* name,
           std::size_t limit) {
    json all = json::array();
    query.page.limit = limit;
    do {
        const auto answer = world.audited(verb, query);
        REQUIRE(answer.contains(name));
        for (const auto& one : answer[name]) all.push_back(one);
        query.page.cursor = answer["next"].is_null() ? "" : answer["next"].get<std::string>();
    } while (!query.page.cursor.empty());
    return all;
}

std::set<std::string> names(const json& list) {
    std::set<std::string> out;
    for (const auto& one : list)
        out.insert(one["kind"].get<std::string>() + "/" + one["name"].get<std::string>());
    return out;
}

}  // namespace

TEST_CASE("a text that left by night is told with the consent to it, and one by day is not") {
    Shop shop;
    shop.say("sms_marketing", "granted", "KR");
    shop.send_text();
    CHECK(shop.night()["disclosures"].empty());
    shop.clock().set("2026-11-21T13:30:00Z");
    // Put off to the morning: nothing left but whose it would be.
    shop.send_text();
    CHECK(shop.night()["disclosures"].empty());
    shop.say("night", "granted", "KR");
    shop.send_text();
    const auto answer = shop.night();
    REQUIRE(answer["disclosures"].size() == 1);
    const auto& one = answer["disclosures"][0];
    CHECK(one["channel"] == "sms_tool");
    CHECK(one["medium"] == "sms");
    CHECK(one["recipient"] == "The text message tool");
    CHECK(one["purpose"] == "sms_marketing");
    CHECK(one["message_class"] == "marketing");
    CHECK(one["identifier"] == json{{"type", "phone"}, {"value", kPhone}});
    CHECK(one["decision"].get<std::string>().size() == 32);
    REQUIRE(one["rules"].size() == 1);
    const auto& rule = one["rules"][0];
    CHECK(rule["jurisdiction"] == "KR");
    CHECK(rule["local_time"] == "2026-11-21T22:31:00.000+09:00");
    CHECK(rule["quiet_until"] == "2026-11-21T23:00:00.000Z");
    CHECK(rule["known_there"] == true);
    CHECK(rule["night_consent"]["granted"] == true);
    CHECK(rule["night_consent"]["purpose"] == "night");
    CHECK(rule["night_consent"]["record"].get<std::string>().size() == 32);
    CHECK(answer["next"].is_null());
    // A withdrawal since changes nothing of that night.
    shop.clock().advance(hours(1));
    shop.say("night", "withdrawn", "KR");
    CHECK(shop.night()["disclosures"] == answer["disclosures"]);
}

TEST_CASE("a text by night to somebody who was not known to be there has no consent behind it") {
    Shop shop;
    shop.say("sms_marketing", "granted");
    shop.clock().set("2026-11-21T13:30:00Z");
    shop.send_text();
    shop.send_text("order_messages");
    const auto list = shop.night()["disclosures"];
    REQUIRE(list.size() == 2);
    CHECK(list[0]["message_class"] == "service");
    CHECK(list[1]["message_class"] == "marketing");
    for (const auto& one : list) {
        CHECK(one["rules"][0]["known_there"] == false);
        CHECK(one["rules"][0]["night_consent"].is_null());
    }
}

TEST_CASE("nights are asked about by channel and time, page by page") {
    Shop shop;
    shop.clock().set("2026-11-21T13:30:00Z");
    for (int i = 0; i < 7; ++i) {
        const auto phone = "+8210123456" + std::to_string(70 + i);
        shop.say("sms_marketing", "granted", "", phone);
        shop.send_text("sms_marketing", phone);
        if (i % 2) shop.send_text("sms_marketing", phone);
    }
    const cdp::AuditQuery query{.since = cdp::parse_time("2026-11-21T00:00:00Z"),
                                .until = cdp::parse_time("2026-11-22T00:00:00Z")};
    const auto whole = pages(shop, "night", query, "disclosures", 1000);
    CHECK(whole.size() == 10);
    CHECK(std::ranges::is_sorted(whole, std::greater{},
                                 [](const json& one) { return one["time"].get<std::string>(); }));
    for (const std::size_t limit : {1, 2, 3})
        CHECK(pages(shop, "night", query, "disclosures", limit) == whole);
    CHECK(shop.night({.channel = "sms_tool"})["disclosures"] == whole);
    CHECK(shop.night({.channel = "email_tool"})["disclosures"].empty());
    CHECK(shop.night({.channel = "nobody"})["error"] == "channel_unknown");
    CHECK(shop.night({.since = cdp::parse_time("2026-11-22T00:00:00Z")})["disclosures"].empty());
    CHECK(shop.night({.page = {.cursor = "zz"}})["error"] == "malformed_cursor");
    CHECK(shop.audited("night", {})["error"] == "since_required");
    CHECK(shop.audited("night", {.since = shop.clock().now()})["error"] == "until_required");
}

TEST_CASE("the policy of that night counts, not today's") {
    Shop shop;
    REQUIRE(shop.platform().policies().adopt());
    shop.say("sms_marketing", "granted");
    shop.clock().set("2026-11-21T13:30:00Z");
    shop.send_text();
    const auto before = shop.night()["disclosures"];
    REQUIRE(before.size() == 1);
    auto lax = shop_config();
    lax.policy.quiet_hours.clear();
    shop.restart(lax);
    shop.clock().advance(hours(1));
    REQUIRE(shop.platform().policies().adopt());
    shop.clock().advance(minutes(1));
    shop.send_text();
    CHECK(shop.night()["disclosures"] == before);
}

namespace {

constexpr auto kOrder =
    R"({"type":"identify","messageId":"m1","userId":"u1","timestamp":"2026-11-20T03:00:00Z",)"
    R"("traits":{"phone":"+821012345678","firstName":"A","secret":1}})";

cdp::Config with_phone_for(std::vector<std::string> purposes) {
    auto config = shop_config();
    if (!purposes.empty()) config.policy.trait_purposes["phone"] = std::move(purposes);
    return config;
}

// Reads the phone number for advertising.
void advertise(Shop& shop) {
    REQUIRE(shop.send_one(kOrder) == "accepted");
    for (const auto* type : {"user_id", "phone"})
        shop.consent(type, *type == 'u' ? "u1" : kPhone, "advertising", "granted");
    shop.clock().advance(minutes(1));
    REQUIRE_FALSE(shop.profile("sms_tool", "user_id", "u1", "advertising").contains("error"));
    REQUIRE(shop.platform().disclosures().drain());
}

json collected_for_security(Shop& shop) {
    return shop.audited("purpose-limitation", {.collected_for = "security"});
}

}  // namespace

TEST_CASE("a field that was collected for one purpose and read for another is told") {
    Shop shop(with_phone_for({"security", "advertising"}));
    REQUIRE(shop.platform().policies().adopt());
    advertise(shop);
    const auto answer = collected_for_security(shop);
    REQUIRE(answer["batches"].size() == 1);
    const auto& batch = answer["batches"][0];
    CHECK(batch["channel"] == "sms_tool");
    CHECK(batch["purpose"] == "advertising");
    CHECK(batch["commitment"].get<std::string>().size() == 64);
    CHECK(batch["proof"]["tlog_proof"].is_string());
    REQUIRE(batch["fields"].size() == 1);
    const auto& field = batch["fields"][0];
    CHECK(field["section"] == "fields");
    CHECK(field["name"] == "phone");
    CHECK(field["allowed"] == true);
    CHECK(field["times"] == 1);
    CHECK(field["identifiers"] == 1);
    CHECK(field["collected_for"] == json{"advertising", "security"});
    // Nothing of it was collected for orders alone.
    CHECK(
        shop.audited("purpose-limitation", {.collected_for = "order_messages"})["batches"].empty());
    // For its own purpose a field may be read.
    CHECK(shop.audited("purpose-limitation", {.collected_for = "advertising"})["batches"].empty());
}

TEST_CASE("what the gate keeps back for its purpose is read by nobody") {
    Shop shop(with_phone_for({"security"}));
    REQUIRE(shop.platform().policies().adopt());
    advertise(shop);
    CHECK(collected_for_security(shop)["batches"].empty());
}

TEST_CASE("what left before the policy knew better is said not to be allowed") {
    Shop shop(with_phone_for({}));
    advertise(shop);
    CHECK(collected_for_security(shop)["batches"].empty());
    // Nobody noted which policy it was: today's is asked.
    shop.restart(with_phone_for({"security"}));
    const auto answer = collected_for_security(shop);
    REQUIRE(answer["batches"].size() == 1);
    CHECK(answer["batches"][0]["fields"][0]["allowed"] == false);
    CHECK(answer["batches"][0]["policy_assumed"] == true);
}

TEST_CASE("purpose limitation is asked about what there is, page by page") {
    Shop shop(with_phone_for({"security", "advertising"}));
    advertise(shop);
    for (int i = 0; i < 5; ++i) {
        shop.clock().advance(hours(1));
        REQUIRE_FALSE(shop.profile("sms_tool", "user_id", "u1", "advertising").contains("error"));
        REQUIRE(shop.platform().disclosures().drain());
    }
    const cdp::AuditQuery query{.collected_for = "security"};
    const auto whole = pages(shop, "purpose-limitation", query, "batches", 1000);
    REQUIRE(whole.size() == 6);
    for (const std::size_t limit : {1, 2, 4}) {
        const auto paged = pages(shop, "purpose-limitation", query, "batches", limit);
        REQUIRE(paged.size() == whole.size());
        for (std::size_t i = 0; i < whole.size(); ++i)
            CHECK(paged[i]["batch"] == whole[i]["batch"]);
    }
    auto later = query;
    later.since = shop.clock().now();
    CHECK(shop.audited("purpose-limitation", later)["batches"].size() == 1);
    auto other = query;
    other.channel = "email_tool";
    CHECK(shop.audited("purpose-limitation", other)["batches"].empty());
    CHECK(shop.audited("purpose-limitation", {})["error"] == "purpose_unknown");
    CHECK(shop.audited("purpose-limitation", {.collected_for = "x"})["error"] == "purpose_unknown");
}

TEST_CASE("names that the policy says nothing about are told, with how long they are") {
    Shop shop;
    REQUIRE(shop.send_one(kOrder) == "accepted");
    REQUIRE(
        shop.send_one(R"({"type":"identify","messageId":"m2","userId":"u2","traits":{"secret":2,)"
                      R"("hidden":3},"timestamp":"2026-11-19T02:00:00Z"})") == "accepted");
    REQUIRE(shop.send_one(
                R"({"type":"track","event":"Seen","messageId":"m3","userId":"u1","properties":)"
                R"({"odd":1,"revenue":2},"context":{"externalIds":[{"id":"b1","type":"badge",)"
                R"("collection":"users","encoding":"none"}]}})") == "accepted");
    const auto before = shop.audited("unmapped", {});
    CHECK(names(before["unmapped"]) ==
          std::set<std::string>{"trait/secret", "trait/hidden", "identifier_type/badge"});
    for (const auto& one : before["unmapped"]) {
        if (one["name"] == "secret") {
            CHECK(one["identifiers"] == 2);
            CHECK(one["oldest"] == "2026-11-19T02:00:00.000Z");
            CHECK(one["days_open"] == 2);
        }
        if (one["name"] == "badge") CHECK(one["treated_as"] == json{"identifier.crm"});
    }
    // A property is met when it was kept back.
    shop.consent("user_id", "u1", "advertising", "granted");
    REQUIRE_FALSE(
        shop.timeline("sms_tool", "user_id", "u1", {.purpose = "advertising"}).contains("error"));
    const auto after = shop.audited("unmapped", {});
    CHECK(names(after["unmapped"]).contains("property/odd"));
    CHECK_FALSE(names(after["unmapped"]).contains("property/revenue"));
    for (const auto& one : after["unmapped"])
        if (one["name"] == "odd") CHECK(one["within"] == "Seen");
    CHECK(after.dump().find("b1") == std::string::npos);
    for (const std::size_t limit : {1, 2, 3})
        CHECK(names(pages(shop, "unmapped", {}, "unmapped", limit)) == names(after["unmapped"]));
    // Mapped since.
    auto mapped = shop_config();
    mapped.policy.traits["secret"] = {"account"};
    shop.restart(mapped);
    CHECK_FALSE(names(shop.audited("unmapped", {})["unmapped"]).contains("trait/secret"));
}

TEST_CASE("of nothing nothing is unmapped, and what is configured for nothing is said") {
    Shop shop;
    const auto answer = shop.audited("unmapped", {});
    CHECK(answer["unmapped"].empty());
    CHECK(answer["next"].is_null());
    CHECK(answer["unused"]["purposes_without_channel"] == json{"analytics", "security"});
    CHECK(answer["unused"]["channels_without_purpose"].empty());
    CHECK(shop.audited("unmapped", {.page = {.cursor = "09"}})["error"] == "malformed_cursor");
}

TEST_CASE("the record of processing says who, what for, what and to whom, without any facts") {
    auto config = shop_config();
    config.controller.name = "The shop";
    config.controller.contact = "privacy@shop.example";
    config.controller.retention = "as long as the account";
    config.retention = {{cdp::RetentionRule::What::type, "page", {13, 0}, ""}};
    Shop shop(config);
    REQUIRE(shop.platform().policies().adopt());
    const auto answer = shop.audited("processing", {});
    CHECK(answer["controller"] == json{{"name", "The shop"}, {"contact", "privacy@shop.example"}});
    CHECK(answer["in_force_since"] == "2026-11-21T03:00:00.000Z");
    CHECK(answer["retention"]["said"] == "as long as the account");
    CHECK(answer["retention"]["rules"] == json{{{"type", "page"}, {"keep", "13 months"}}});
    CHECK(answer["purposes"].size() == 6);
    for (const auto& purpose : answer["purposes"]) {
        if (purpose["name"] != "sms_marketing") continue;
        CHECK(purpose["regime"] == "identifier_opt_in");
        CHECK(purpose["message_class"] == "marketing");
        CHECK(purpose["recipients"] == json{"sms_tool"});
        CHECK(purpose["categories"] == json{"behaviour", "commerce", "contact.phone", "name"});
    }
    for (const auto& recipient : answer["recipients"]) {
        if (recipient["channel"] != "ads_tool") continue;
        CHECK(recipient["receives"][0] == json{{"label", "contact.email"}, {"form", "sha256"}});
        CHECK(recipient["role"] == "processor");
    }
    CHECK(answer["security"].size() >= 5);
    CHECK(answer["quiet_hours"][0]["from"] == "21:00");
    CHECK(answer["quiet_hours"][0]["until"] == "08:00");
}

TEST_CASE("the record of processing of an earlier day is by the policy of that day") {
    Shop shop;
    REQUIRE(shop.platform().policies().adopt());
    const auto then = shop.clock().now();
    const auto first = shop.audited("processing", {.as_of = then});
    shop.clock().advance(days(1));
    auto fewer = shop_config();
    fewer.policy.channels.pop_back();
    shop.restart(fewer);
    REQUIRE(shop.platform().policies().adopt());
    CHECK(shop.audited("processing", {.as_of = then}) == first);
    const auto today = shop.audited("processing", {});
    CHECK(today["recipients"].size() + 1 == first["recipients"].size());
    CHECK(today["policy_version"] != first["policy_version"]);
    CHECK(shop.audited("processing", {.as_of = then - hours(1)})["policy_assumed"] == true);
    CHECK(shop.audited("processing", {.as_of = then + days(9)})["error"] == "in_the_future");
}
