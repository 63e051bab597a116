#include <algorithm>
#include <future>
#include <map>

#include "cdp/base/random.h"
#include "cdp/signal_intake.h"
#include "consent/consents.h"
#include "consent/signal_rows.h"
#include "storage/key.h"
#include "tests/cdp/signals.h"
#include "tests/cdp/world.h"
#include "tests/support/any_order.h"
#include "tests/support/seeds.h"

// Consent signals from the events that carry them to the decisions they end in.
namespace {

using nlohmann::json;
using tests::PlatformWorld;
using tests::TcString;

cdp::Config heeding_config() {
    cdp::Config config;
    auto& policy = config.policy;
    policy.purposes[0].signals = {"gpc",   "gpp/sale", "gpp/sharing", "gpp/targeted_ads",
                                  "tcf/3", "tcf/4",    "att"};
    policy.purposes[1].signals = {};
    policy.purposes.push_back({.name = "resale",
                               .regime = consent::Regime::person_opt_out,
                               .signals = {"gpc", "gpp/sale"}});
    policy.channels[1].purposes.push_back("resale");
    REQUIRE(consent::check(policy));
    return config;
}

// What the ads tool is told of somebody's plan: "" or why it is not.
std::string plan_of(PlatformWorld& world, const std::string& type, const std::string& value,
                    const std::string& purpose = "advertising") {
    const auto profile = world.profile("ads_tool", type, value, purpose);
    if (profile.contains("error")) return profile["error"];
    if (profile["traits"].contains("plan")) return "";
    const auto why = tests::withheld(profile, "plan");
    return why.empty() ? "no plan" : why;
}

class World : public PlatformWorld {
public:
    explicit World(cdp::Config config = heeding_config()) : PlatformWorld(std::move(config)) {}

    // One event, and whether it came with the header Sec-GPC: 1.
    cdp::Verdict event(json body, bool gpc = false) {
        if (!body.contains("messageId")) body["messageId"] = "m" + std::to_string(++serial_);
        if (!body.contains("type")) {
            body["type"] = "identify";
            body["traits"]["plan"] = "gold";
        }
        auto context = platform().parse_context(source("web"), false);
        context.gpc = gpc;
        auto parsed = cdp::parse_body(body.dump(), std::nullopt, context);
        REQUIRE(parsed);
        std::promise<cdp::Result<std::vector<cdp::Verdict>>> answer;
        platform().ingest(source("web"), std::move(*parsed),
                          [&](auto result) { answer.set_value(std::move(result)); });
        auto verdicts = answer.get_future().get();
        REQUIRE(verdicts);
        return verdicts->front();
    }

    void pass(std::chrono::minutes time = std::chrono::minutes{1}) { clock().advance(time); }

    std::uint64_t ledger_size() {
        return *consent::Consents(vault()).ledger_size(*store().snapshot());
    }

private:
    int serial_ = 0;
};

json with_consent(json event, const json& consent) {
    event["context"]["consent"] = consent;
    return event;
}

TEST_CASE("a browser's opt-out, sent before anybody signed in, becomes the account's") {
    World world;
    world.event({{"userId", "u1"}});
    world.consent("user_id", "u1", "advertising", "granted");
    CHECK(plan_of(world, "user_id", "u1") == "");
    CHECK(plan_of(world, "user_id", "u1", "resale") == "");

    world.pass();
    world.event({{"anonymousId", "c1"}}, /*gpc=*/true);
    CHECK(plan_of(world, "user_id", "u1") == "");
    CHECK(plan_of(world, "anonymous_id", "c1", "resale") == "objected");

    world.pass();
    world.event({{"userId", "u1"}, {"anonymousId", "c1"}});
    CHECK(plan_of(world, "user_id", "u1") == "objected");
    CHECK(plan_of(world, "user_id", "u1", "resale") == "objected");

    // A yes on the browser does not take back what the law has made the person's.
    world.pass();
    world.event(
        with_consent({{"anonymousId", "c1"}}, {{"categoryPreferences", {{"Advertising", true}}}}));
    CHECK(plan_of(world, "user_id", "u1") == "objected");
}

TEST_CASE("an opt-out at a kiosk is of those who were signed in, and of nobody else") {
    World world;
    for (const char* account : {"u1", "u2", "u3"})
        world.event({{"userId", account}, {"anonymousId", "kiosk"}});
    world.pass();
    world.event({{"anonymousId", "kiosk"}}, /*gpc=*/true);
    world.event({{"userId", "u2"}, {"anonymousId", "kiosk"}}, /*gpc=*/true);
    CHECK(plan_of(world, "user_id", "u1", "resale") == "");
    CHECK(plan_of(world, "user_id", "u2", "resale") == "objected");
    CHECK(plan_of(world, "user_id", "u3", "resale") == "");
}

TEST_CASE("an opt-out counts however a browser or an SDK says it") {
    const json c1 = {{"anonymousId", "c1"}};
    const auto said = [](const json& event, bool header) {
        World world;
        const auto verdict = world.event(event, header);
        CHECK(verdict.kind == cdp::VerdictKind::accepted);
        return plan_of(world, "anonymous_id", "c1", "resale") + "," +
               std::to_string(verdict.warnings.size());
    };
    CHECK(said(c1, false) == ",0");
    CHECK(said(c1, true) == "objected,0");
    for (const json& yes : {json(true), json(1), json("1"), json("true")}) {
        auto event = c1;
        event["context"]["gpc"] = yes;
        CHECK(said(event, false) == "objected,0");
        CHECK(said(with_consent(c1, {{"gpc", yes}}), false) == "objected,0");
    }
    for (const json& no : {json(false), json(0), json("0"), json(""), json(nullptr)})
        CHECK(said(with_consent(c1, {{"gpc", no}}), false) == ",0");
    for (const json& unclear : {json("no"), json::array(), json::object(), json(1.5)})
        CHECK(said(with_consent(c1, {{"gpc", unclear}}), false) == "objected,1");
    CHECK(said(with_consent(c1, {{"uspString", "1YYN"}}), false) == "denied,0");
    CHECK(said(with_consent(c1, {{"us_privacy", "1YNN"}}), false) == ",0");
}

TEST_CASE("a TC string grants and denies what its purposes say, to the vendors that it names") {
    const auto told = [](const TcString& string, std::uint16_t vendor = 0) {
        auto config = heeding_config();
        config.policy.channels[1].tcf_vendor = vendor;
        World world(config);
        const auto verdict =
            world.event(with_consent({{"userId", "u1"}}, {{"tcString", string.text()}}));
        CHECK(verdict.warnings.empty());
        return plan_of(world, "user_id", "u1");
    };
    CHECK(told(TcString::of(true)) == "");
    CHECK(told(TcString::of(false)) == "denied");
    auto half = TcString::of(true);
    half.purposes[3] = '0';
    CHECK(told(half) == "denied");

    auto string = TcString::of(true);
    string.vendors = "111011111";
    CHECK(told(string, 3) == "");
    CHECK(told(string, 4) == "denied");
    CHECK(told(string, 10) == "denied");
}

TEST_CASE("a string that cannot be read or is too old denies, and the event is taken") {
    const auto told = [](const json& consent, const std::string& warning) {
        World world;
        world.event(with_consent({{"anonymousId", "c1"}},
                                 {{"categoryPreferences", {{"Advertising", true}}}}));
        CHECK(plan_of(world, "anonymous_id", "c1") == "");
        world.pass();
        const auto verdict = world.event(with_consent({{"anonymousId", "c1"}}, consent));
        CHECK(verdict.kind == cdp::VerdictKind::accepted);
        CHECK(verdict.warnings == std::vector<std::string>{warning});
        return plan_of(world, "anonymous_id", "c1");
    };
    auto old = TcString::of(true);
    old.created = "2025-01-01T00:00:00Z";
    auto early = TcString::of(true);
    early.created = "2026-12-01T00:00:00Z";
    const auto whole = TcString::of(true).text();
    CHECK(told({{"tcString", old.text()}}, "signal_expired") == "denied");
    CHECK(told({{"tcString", early.text()}}, "signal_from_the_future") == "denied");
    CHECK(told({{"tcf", whole.substr(0, 40)}}, "signal_truncated") == "denied");
    CHECK(told({{"tcf", "no string"}}, "signal_bad_character") == "denied");
    CHECK(told({{"tcf", ""}}, "signal_empty") == "denied");
    CHECK(told({{"tcf", 7}}, "signal_empty") == "denied");
    CHECK(told({{"gpp", "!"}}, "signal_bad_character") == "denied");
    CHECK(told({{"gppString", "DBABTA~2YNN"}}, "signal_version_unknown") == "denied");
    CHECK(told({{"uspString", "1Y"}}, "signal_truncated") == "denied");
    // Beside one that is sound, which says yes.
    CHECK(told({{"uspString", "1Y"}, {"tcf", whole}}, "signal_truncated") == "denied");
}

TEST_CASE("an app's tracking permission is the device's") {
    const auto told = [](const json& device) {
        World world;
        world.event({{"userId", "u1"}});
        world.consent("user_id", "u1", "advertising", "granted");
        world.pass();
        json event = {{"userId", "u1"}, {"anonymousId", "app"}};
        event["context"]["device"] = device;
        event["context"]["device"]["id"] = "phone";
        world.event(event);
        return plan_of(world, "user_id", "u1");
    };
    CHECK(told(json::object()) == "");
    CHECK(told({{"attStatus", "authorized"}}) == "");
    CHECK(told({{"attStatus", "denied"}}) == "objected");
    CHECK(told({{"attStatus", "notDetermined"}}) == "denied");
    CHECK(told({{"trackingStatus", "restricted"}}) == "denied");
    CHECK(told({{"attTrackingStatus", 3}}) == "");
    CHECK(told({{"attTrackingStatus", 2}}) == "objected");
    CHECK(told({{"attTrackingStatus", 9}}) == "denied");
    CHECK(told({{"adTrackingEnabled", false}}) == "denied");
    CHECK(told({{"adTrackingEnabled", true}}) == "");
    CHECK(told({{"adTrackingEnabled", false}, {"attStatus", "authorized"}}) == "");

    // What the same person does in a browser goes on.
    World world;
    world.event(
        with_consent({{"anonymousId", "web"}}, {{"categoryPreferences", {{"Advertising", true}}}}));
    world.pass();
    json event = {{"userId", "u1"}, {"type", "track"}, {"event", "opened"}};
    event["context"]["device"] = {{"id", "phone"}, {"attStatus", "denied"}};
    world.event(event);
    world.event({{"userId", "u1"}, {"anonymousId", "web"}, {"type", "track"}, {"event", "in"}});
    CHECK(plan_of(world, "anonymous_id", "web") == "");
}

TEST_CASE("the text of a signal is kept once, with the cell that was read from it") {
    World world;
    const auto text = TcString::of(true).text();
    const auto event = with_consent({{"userId", "u1"}}, {{"tcString", text}});
    world.event(event);
    const auto size = world.ledger_size();
    CHECK(size == 1);

    const auto token = world.vault().token("user_id", "u1");
    const auto snapshot = world.store().snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto rows = *consent::Consents(world.vault()).rows(*snapshot, transaction, token);
    REQUIRE(rows.size() == 1);
    const auto& cell = std::get<consent::Cell>(rows[0]);
    REQUIRE(cell.first.signal);
    CHECK(cell.first.signal->type == consent::SignalType::tcf);
    CHECK(cell.first.signal->digest == consent::sha256(text));
    CHECK(*consent::find_signal(*snapshot, world.vault(), token, *cell.first.signal) == text);
    const auto other = world.vault().token("user_id", "u2");
    CHECK_FALSE(*consent::find_signal(*snapshot, world.vault(), other, *cell.first.signal));

    for (int i = 0; i < 5; ++i) {
        world.pass();
        world.event(event);
    }
    CHECK(world.ledger_size() == size);
    world.pass(std::chrono::days{1});
    world.event(event);
    CHECK(world.ledger_size() == size + 1);
}

TEST_CASE("what a browser said twice a day is read again with its header") {
    World world;
    const json yes =
        with_consent({{"userId", "u1"}}, {{"categoryPreferences", {{"Advertising", true}}}});
    world.event(yes);
    world.pass();
    world.event(yes, /*gpc=*/true);
    world.pass();
    world.event(yes);
    world.pass();
    CHECK(plan_of(world, "user_id", "u1") == "");
    // The same words again, and the opt-out is the later one.
    world.event(yes, /*gpc=*/true);
    CHECK(plan_of(world, "user_id", "u1") == "objected");
    world.restart(heeding_config());
    CHECK(plan_of(world, "user_id", "u1") == "objected");
}

TEST_CASE("a posted signal is an answer for every purpose that heeds it") {
    World world;
    world.event({{"userId", "u1"}});
    const auto post = [&](const std::string& type, const std::string& text) {
        cdp::ConsentRequest request;
        request.identifiers = {{"user_id", "u1"}};
        request.signal = {type, text};
        // Answers that lost a race come from the platform's own thread.
        std::promise<cdp::Result<std::vector<cdp::RecordedConsent>>> outcome;
        world.platform().record_consents(
            PlatformWorld::source("crm", cdp::Trust::server), {request},
            [&](auto result) { outcome.set_value(std::move(result)); });
        const auto result = outcome.get_future().get();
        auto told = result ? std::to_string(result->size()) : result.error().reason;
        if (result)
            for (const auto& record : *result)
                for (const auto& warning : record.warnings) told += " " + warning.code;
        world.pass();
        return told;
    };
    CHECK(post("tcf", TcString::of(true).text()) == "1");
    CHECK(plan_of(world, "user_id", "u1") == "");
    CHECK(post("gpc", "1") == "2");
    CHECK(plan_of(world, "user_id", "u1") == "objected");
    CHECK(plan_of(world, "user_id", "u1", "resale") == "objected");
    CHECK(post("tcf", "no string") == "1 signal_bad_character");
    CHECK(plan_of(world, "user_id", "u1") == "denied");
    CHECK(post("gpc", "0") == "signal_without_effect");
    CHECK(post("fax", "1") == "invalid_signal");
}

TEST_CASE("Google is told decisions alone, by what was said of the identifier") {
    World world;
    world.event({{"userId", "u1"}});
    const auto told = [&] {
        const auto answer =
            world.platform().google_consent(PlatformWorld::channel("ads_tool"), "user_id", "u1");
        REQUIRE(answer);
        const auto body = json::parse(*answer->body());
        CHECK(body.size() == 7);
        return body["ad_storage"].get<std::string>() + "," +
               body["ad_personalization"].get<std::string>() + "," +
               body["analytics_storage"].get<std::string>();
    };
    CHECK(told() == "denied,denied,denied");
    world.consent("user_id", "u1", "advertising", "granted");
    // The channel is not registered for analytics, whatever was said.
    world.consent("user_id", "u1", "analytics", "granted");
    CHECK(told() == "granted,granted,denied");
    world.pass();
    world.event({{"userId", "u1"}}, /*gpc=*/true);
    CHECK(told() == "denied,denied,denied");
    const auto stranger =
        world.platform().google_consent(PlatformWorld::source("web"), "user_id", "u1");
    REQUIRE_FALSE(stranger);
    CHECK(stranger.error().reason == "channel_unknown");
}

// Random events of a few browsers and accounts, with signals of every kind.
struct Call {
    json event;
    bool gpc = false;
};

json random_consent(cdp::Random& random) {
    json consent = json::object();
    if (random.one_in(3)) consent["categoryPreferences"] = {{"Advertising", random.one_in(2)}};
    if (random.one_in(3)) consent["tcString"] = TcString::of(!random.one_in(3)).text();
    if (random.one_in(6)) consent["uspString"] = random.one_in(2) ? "1YYN" : "1YNN";
    if (random.one_in(8)) consent["gpp"] = random.one_in(2) ? "DBABTA~1YNN" : "DBABTA~";
    return consent;
}

Call random_call(cdp::Random& random, std::size_t serial) {
    json event = {{"type", "identify"}, {"messageId", "m" + std::to_string(serial)}};
    if (!random.one_in(3)) event["anonymousId"] = tests::pick(random, "c", 3);
    if (random.one_in(2) || !event.contains("anonymousId"))
        event["userId"] = tests::pick(random, "u", 2);
    event["traits"]["plan"] = "p" + std::to_string(random.below(3));
    const auto minute = random.below(3 * 24 * 60);
    event["timestamp"] =
        cdp::format_time(*cdp::parse_time("2026-11-18T00:00:00Z") + std::chrono::minutes{minute});
    event["context"]["consent"] = random_consent(random);
    return {std::move(event), random.one_in(6)};
}

TEST_CASE("signals decide the same in any order and however often they are sent") {
    const auto seed = GENERATE(tests::seeds(25));
    CAPTURE(seed);
    auto config = heeding_config();
    config.policy.channels[1].tcf_vendor = static_cast<std::uint16_t>(seed % 11);
    const auto told = [&](const std::vector<Call>& calls) {
        World world(config);
        for (const auto& call : calls) world.event(call.event, call.gpc);
        std::map<std::string, std::string> out;
        for (const auto& [type, value] : std::map<std::string, std::string>{{"c0", "anonymous_id"},
                                                                            {"c1", "anonymous_id"},
                                                                            {"c2", "anonymous_id"},
                                                                            {"u0", "user_id"},
                                                                            {"u1", "user_id"}})
            for (const char* purpose : {"advertising", "resale"})
                out[type + " " + purpose] = plan_of(world, value, type, purpose);
        out["ledger"] = std::to_string(world.ledger_size());
        return out;
    };
    CHECK(tests::same_in_any_order(seed, 24, random_call, told));
}

TEST_CASE("bytes that are no signal grant nothing") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    cdp::Random random(seed);
    const auto whole = TcString::of(true).text();
    const auto bytes = [&] {
        std::string text = random.one_in(2) ? whole : "";
        if (text.empty())
            for (auto n = random.below(60); n > 0; --n)
                text += static_cast<char>(' ' + random.below(95));
        for (auto n = 1 + random.below(3); n > 0 && !text.empty(); --n)
            text[random.below(text.size())] = static_cast<char>(' ' + random.below(95));
        if (random.one_in(2)) text.resize(random.below(text.size() + 1));
        return text;
    };
    // Whatever else is in it, the first bits of a string are its version: this is never one.
    const auto value = [&]() -> json {
        switch (random.below(6)) {
            case 0: return random.below(100);
            case 1: return {{"a", bytes()}};
            case 2: return json::array({bytes()});
            case 3: return random.one_in(2);
            default: return "z" + bytes();
        }
    };
    World world;
    for (int i = 0; i < 40; ++i) {
        json consent;
        for (const char* name : {"tcString", "tcf", "gppString", "gpp", "uspString", "us_privacy",
                                 "usPrivacyString", "gpc", "gppSid"})
            if (random.one_in(3)) consent[name] = value();
        json event = with_consent({{"userId", "u1"}}, random.one_in(9) ? value() : consent);
        event["context"]["device"] = random.one_in(4) ? value() : json{{"attStatus", value()}};
        event["context"]["gpc"] = value();
        CHECK(world.event(event).kind == cdp::VerdictKind::accepted);
        world.pass();
    }
    for (const auto& line : world.exported(cdp::ExportKind::consents))
        CHECK(line["state"] != "granted");
    CHECK(plan_of(world, "user_id", "u1") != "");
}

TEST_CASE("a signal is read once for each day") {
    const auto config = heeding_config();
    const cdp::SignalReader reader(config.policy, 64);
    const std::vector<cdp::SentSignal> sent = {
        {consent::SignalType::tcf, TcString::of(true).text()}};
    const auto morning = *cdp::parse_time("2026-11-21T01:00:00Z");
    const auto first = reader.read(sent, morning);
    CHECK(reader.read(sent, morning + std::chrono::hours{20})[0].reading == first[0].reading);
    CHECK(reader.read(sent, morning + std::chrono::hours{24})[0].reading != first[0].reading);
    // What was dropped to make room is read again, and alike.
    for (int i = 0; i < 1000; ++i)
        reader.read(std::vector<cdp::SentSignal>{{consent::SignalType::usp, std::to_string(i)}},
                    morning);
    CHECK(reader.read(sent, morning)[0].reading->words == first[0].reading->words);
}

}  // namespace
