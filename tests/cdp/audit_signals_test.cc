#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cdp/audit.h"
#include "cdp/base/random.h"
#include "consent/sha256.h"
#include "tests/cdp/audit_scanning.h"
#include "tests/cdp/signals.h"
#include "tests/support/seeds.h"

// The officers' questions about consent signals.
namespace {

using cdp::AuditQuery;
using nlohmann::json;
using tests::answer_of;
using tests::audited_list;
using tests::PlatformWorld;
using tests::TcString;

cdp::Config heeding() {
    cdp::Config config;
    config.policy.purposes[0].signals = {"gpc", "gpp/sale", "tcf/3", "tcf/4", "att"};
    config.policy.purposes.push_back({.name = "resale",
                                      .regime = consent::Regime::person_opt_out,
                                      .signals = {"gpc", "gpp/sale"}});
    config.policy.channels[1].purposes.push_back("resale");
    return config;
}

class World : public PlatformWorld {
public:
    World() : PlatformWorld(heeding()) {}

    void event(json body) {
        body["messageId"] = "m" + std::to_string(++serial_);
        body["type"] = "identify";
        body["traits"]["plan"] = "gold";
        REQUIRE(send_one(body.dump()) == "accepted");
        clock().advance(std::chrono::minutes{1});
    }
    void said(json body, const json& consent) {
        body["context"]["consent"] = consent;
        event(std::move(body));
    }

private:
    int serial_ = 0;
};

AuditQuery about(const std::string& type, const std::string& value) {
    return {.subject = cdp::AuditSubject{type, value}};
}

std::string digest(const std::string& text) {
    return cdp::to_hex(consent::view(consent::sha256(text)));
}

const json& of_channel(const json& decisions, const std::string& identifier) {
    const auto at = std::ranges::find_if(
        decisions, [&](const json& one) { return one["identifier"]["value"] == identifier; });
    REQUIRE(at != decisions.end());
    return *at;
}

// Both lists of a person's signals, page by page, which must be what one page has.
json whole_signals(World& world, AuditQuery query) {
    query.page = {.limit = 1000};
    const auto whole = world.audited("signals", query);
    REQUIRE(whole.contains("signals"));
    CHECK(whole["next"].is_null());
    json signals = json::array();
    json disclosures = json::array();
    query.page.limit = 1;
    for (std::size_t pages = 0; pages < 500; ++pages) {
        const auto page = world.audited("signals", query);
        REQUIRE(page.contains("signals"));
        for (const auto& one : page["signals"]) signals.push_back(one);
        for (const auto& one : page["disclosures"]) disclosures.push_back(one);
        if (page["next"].is_null()) break;
        query.page.cursor = page["next"];
    }
    CHECK(signals == whole["signals"]);
    CHECK(disclosures == whole["disclosures"]);
    return whole;
}

}  // namespace

TEST_CASE("an opt-out on a device is told with whose it is, since when, and what it refuses") {
    World world;
    world.event({{"userId", "u1"}, {"anonymousId", "c2"}});
    world.consent("user_id", "u1", "advertising", "granted");
    world.clock().advance(std::chrono::minutes{1});
    world.said({{"anonymousId", "c1"}}, {{"gpc", true}});
    const auto joined = world.clock().now();
    world.event({{"userId", "u1"}, {"anonymousId", "c1"}});

    const auto told = world.audited("gpc", about("user_id", "u1"));
    CHECK(told["heeded_by"] == json{"advertising", "resale"});
    REQUIRE(told["devices"].size() == 1);
    const auto& device = told["devices"][0];
    CHECK(device["identifier"]["value"] == "c1");
    CHECK(device["since"] == cdp::format_time(joined));
    REQUIRE(device["signals"].size() == 1);
    CHECK(device["signals"][0]["source"] == "web");
    CHECK(device["signals"][0]["purposes"] == json{"advertising", "resale"});
    CHECK(device["signals"][0]["first"] == "2026-11-21T12:02:00.000Z");
    REQUIRE(told["purposes"].size() == 2);
    for (const auto& purpose : told["purposes"]) {
        CHECK(purpose["opted_out"] == true);
        CHECK(purpose["by_gpc"] == true);
        for (const auto* who : {"u1", "c1", "c2"}) {
            const auto& decision = of_channel(purpose["decisions"], who);
            CHECK(decision["outcome"] == "deny");
            CHECK(decision["reason"] == "objected");
            CHECK(decision["by_gpc"] == true);
        }
    }
    CHECK(told["overrides"].empty());

    // The person takes it back by name.
    auto back = answer_of("user_id", "u1", "advertising", "granted");
    for (const auto& id : device["signals"][0]["records"]) back.overrides.push_back(id);
    const auto id = tests::record(world, back);
    const auto after = world.audited("gpc", about("anonymous_id", "c1"));
    REQUIRE(after["overrides"].size() == 1);
    CHECK(after["overrides"][0]["record"] == id);
    CHECK(after["overrides"][0]["identifier"]["value"] == "u1");
    CHECK(of_channel(after["purposes"][0]["decisions"], "u1")["outcome"] == "allow");
    CHECK(after["purposes"][0]["opted_out"] == false);
}

TEST_CASE("who never sent the signal, and who is not known, are told apart") {
    World world;
    world.event({{"userId", "u1"}});
    const auto told = world.audited("gpc", about("user_id", "u1"));
    CHECK(told["devices"].empty());
    CHECK(told["purposes"].empty());
    CHECK(world.audited("gpc", about("user_id", "nobody"))["error"] == "person_unknown");
    CHECK(world.audited("gpc", {})["error"] == "subject_required");
    CHECK(world.audited("signals", about("user_id", "nobody"))["error"] == "person_unknown");
    auto query = about("user_id", "u1");
    query.signal = "smoke";
    CHECK(world.audited("signals", query)["error"] == "invalid_signal");
    query = about("user_id", "u1");
    for (const auto* cursor : {"zz", "00", "ff", "0202", "000000"}) {
        query.page.cursor = cursor;
        CHECK(world.audited("signals", query)["error"] == "malformed_cursor");
    }
}

TEST_CASE(
    "a string is told verbatim, with what it says, and beside every disclosure it was before") {
    World world;
    const auto yes = TcString::of(true).text();
    const auto no = TcString::of(false).text();
    world.said({{"userId", "u1"}}, {{"tcString", yes}});
    REQUIRE(world.profile("ads_tool", "user_id", "u1", "advertising")["traits"].contains("plan"));
    world.clock().advance(std::chrono::minutes{1});
    world.said({{"userId", "u1"}}, {{"tcString", no}});
    world.profile("ads_tool", "user_id", "u1", "advertising");

    const auto told = whole_signals(world, about("user_id", "u1"));
    REQUIRE(told["signals"].size() == 2);
    CHECK(told["signals"][0]["raw"] == no);
    const auto& first = told["signals"][1];
    CHECK(first["raw"] == yes);
    CHECK(first["sha256"] == digest(yes));
    CHECK(first["type"] == "tcf");
    CHECK(first["said"][0] == json{{"purpose", "advertising"}, {"state", "granted"}});
    CHECK(first["faults"].empty());
    CHECK(first["parse"]["cmp_id"] == 880);
    CHECK(first["parse"]["purposes_consented"].size() == 24);
    CHECK(first["parse"]["vendors_consented"] == 9);
    CHECK(first["parse"]["created"] == "2026-11-01T00:00:00.000Z");

    REQUIRE(told["disclosures"].size() == 2);
    const auto& late = told["disclosures"][0];
    const auto& early = told["disclosures"][1];
    REQUIRE(early["in_force"].size() == 1);
    CHECK(early["in_force"][0]["sha256"] == digest(yes));
    CHECK(early["channel"] == "ads_tool");
    REQUIRE(early["decided_by"].size() == 1);
    CHECK(early["decided_by"][0]["by_signal"] == true);
    CHECK(early["decided_by"][0]["sha256"] == digest(yes));
    REQUIRE(late["in_force"].size() == 1);
    CHECK(late["in_force"][0]["sha256"] == digest(no));

    auto query = about("user_id", "u1");
    query.signal = "gpp";
    CHECK(whole_signals(world, query)["signals"].empty());
    CHECK(whole_signals(world, query)["disclosures"].size() == 2);
    query = about("user_id", "u1");
    query.until = cdp::parse_time("2026-11-21T12:00:30Z");
    CHECK(whole_signals(world, query)["signals"].size() == 1);
}

TEST_CASE("what cannot be read is told by its fault, and every kind of signal in its own words") {
    World world;
    world.said({{"userId", "u1"}}, {{"tcString", "CP"}});
    world.said({{"userId", "u1"}}, {{"uspString", "1YYN"}});
    world.said({{"userId", "u1"}}, {{"gpc", true}});
    const auto told = whole_signals(world, about("user_id", "u1"));
    std::map<std::string, json> by_type;
    for (const auto& one : told["signals"]) by_type[one["type"]] = one;
    REQUIRE(by_type.size() == 3);
    CHECK(by_type["tcf"]["parse"].contains("fault"));
    CHECK(by_type["tcf"]["faults"].size() == 1);
    CHECK(by_type["usp"]["parse"] ==
          json{{"notice", "Y"}, {"opt_out_sale", "Y"}, {"lspa_covered", "N"}});
    CHECK(by_type["gpc"]["parse"] == json{{"opted_out", true}});
}

TEST_CASE("people are told of whom a signal refuses what their words allow, with what decided") {
    World world;
    world.event({{"userId", "u1"}, {"anonymousId", "c1"}});
    world.consent("user_id", "u1", "advertising", "granted");
    world.clock().advance(std::chrono::minutes{1});
    world.said({{"anonymousId", "c1"}}, {{"gpc", true}});
    world.event({{"userId", "u2"}});
    world.consent("user_id", "u2", "advertising", "granted");
    world.clock().advance(std::chrono::minutes{1});
    world.consent("user_id", "u2", "advertising", "withdrawn");

    const auto told = audited_list(world, "conflicts", {}, "persons");
    REQUIRE(told.size() == 1);
    REQUIRE(told[0]["purposes"].size() == 1);
    const auto& purpose = told[0]["purposes"][0];
    CHECK(purpose["purpose"] == "advertising");
    REQUIRE(purpose["standing"].size() == 2);
    CHECK(purpose["standing"][0]["signal"] == "gpc");
    CHECK(purpose["standing"][0]["state"] == "objected");
    CHECK(purpose["standing"][0]["kind"] == "stamp");
    CHECK(purpose["standing"][1]["state"] == "granted");
    CHECK(purpose["standing"][1]["identifier"]["value"] == "u1");
    const auto& decision = of_channel(purpose["decisions"], "u1");
    CHECK(decision["channel"] == "ads_tool");
    CHECK(decision["outcome"] == "deny");
    CHECK(decision["reason"] == "objected");
    CHECK(decision["record"] == purpose["standing"][0]["record"]);
    AuditQuery query{.purpose = "email_marketing"};
    CHECK(audited_list(world, "conflicts", query, "persons").empty());
    CHECK(world.audited("conflicts", {.purpose = "smoke"})["error"] == "purpose_unknown");
}

TEST_CASE("of any history those in conflict are told, and nobody else") {
    const auto seed = GENERATE(tests::seeds(10));
    CAPTURE(seed);
    cdp::Random random{seed};
    World world;
    constexpr std::uint64_t kPeople = 6;
    // The last thing that was said in words, and whether the browser opted out.
    std::map<std::string, std::string> words;
    std::set<std::string> opted_out;
    for (std::uint64_t i = 0; i < kPeople; ++i)
        world.event(
            {{"userId", "u" + std::to_string(i)}, {"anonymousId", "c" + std::to_string(i)}});
    for (int i = 0; i < 20; ++i) {
        const auto who = std::to_string(random.below(kPeople));
        if (random.one_in(3)) {
            world.said({{"anonymousId", "c" + who}}, {{"gpc", true}});
            opted_out.insert("u" + who);
        } else {
            const std::string state = random.one_in(2) ? "granted" : "denied";
            world.consent("user_id", "u" + who, "advertising", state);
            words["u" + who] = state;
        }
        world.clock().advance(std::chrono::minutes{1});
    }
    std::set<std::string> expected;
    for (const auto& [who, state] : words)
        if (state == "granted" && opted_out.contains(who)) expected.insert(who);
    std::set<std::string> told;
    for (const auto& person : audited_list(world, "conflicts", {}, "persons"))
        for (const auto& one : person["purposes"][0]["standing"])
            if (one["identifier"]["type"] == "user_id") told.insert(one["identifier"]["value"]);
    CHECK(told == expected);
}
