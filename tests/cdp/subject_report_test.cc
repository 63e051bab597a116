#include <algorithm>
#include <map>
#include <set>

#include "storage/key.h"
#include "tests/cdp/reporting.h"
#include "tests/cdp/stewardship_world.h"
#include "tests/support/seeds.h"

// What people are told is held about them: all of it, and nothing of others.

namespace {

using cdp::ReportFormat;
using nlohmann::json;
using tests::PlatformWorld;
using tests::report;

// A customer, and somebody else with whom a tablet is shared.
struct Household : PlatformWorld {
    Household() : PlatformWorld(tests::open_config()) {
        const auto till = source("till", cdp::Trust::server);
        send_one(R"({"type":"identify","userId":"u1","anonymousId":"c1","messageId":"m1",)"
                 R"("timestamp":"2026-11-20T10:00:00Z","traits":{"email":"a@shop.example",)"
                 R"("plan":"gold","note":"<script>alert('1')</script> & \"more\""},)"
                 R"("context":{"consent":{"categoryPreferences":{"advertising":true}}}})",
                 till);
        send_one(R"({"type":"track","event":"Order Completed","userId":"u1","messageId":"m2",)"
                 R"("writeKey":"caaaaaaaaaaaaaaaaaaaaaaaa",)"
                 R"("timestamp":"2026-11-20T11:00:00Z","properties":{"revenue":7}})",
                 till);
        send_one(R"({"type":"group","groupId":"acme","userId":"u1","messageId":"m3",)"
                 R"("timestamp":"2026-11-20T11:30:00Z"})",
                 till);
        send_one(R"({"type":"identify","userId":"u1","messageId":"m4",)"
                 R"("timestamp":"2026-11-20T11:40:00Z","traits":{"plan":"silver"}})",
                 till);
        for (const auto* user : {"u1", "u2", "u3"})
            on_tablet(user, "k" + std::string(user),
                      "2026-11-19T0" + std::string(1, user[1]) + ":00");
        on_tablet("u1", "k4", "2026-11-20T12:00");
        on_tablet("", "k5", "2026-11-20T12:01");
        on_tablet("u2", "k6", "2026-11-20T18:00");
        on_tablet("", "k7", "2026-11-20T18:01");
        consent("email", "a@shop.example", "email_marketing", "granted");
        profile("email_tool", "user_id", "u1", "email_marketing");
        profile("email_tool", "user_id", "u1", "email_marketing");
        profile("email_tool", "user_id", "u2", "email_marketing");
    }

    void on_tablet(const std::string& user, const std::string& id, const std::string& time) {
        json event{{"type", "track"},
                   {"event", "Looked " + id},
                   {"anonymousId", "tablet"},
                   {"messageId", id},
                   {"timestamp", time + ":00Z"}};
        if (!user.empty()) event["userId"] = user;
        send_one(event.dump(), source("till", cdp::Trust::server));
    }
};

std::set<std::string> names_of(const json& events) {
    std::set<std::string> names;
    for (const auto& one : events) names.insert(one["event"].value("messageId", ""));
    return names;
}

const json& named(const json& list, const std::string& member, const std::string& value) {
    const auto at =
        std::ranges::find_if(list, [&](const json& one) { return one.value(member, "") == value; });
    INFO(list.dump(1));
    REQUIRE(at != list.end());
    return *at;
}

// What must be equal wherever nobody else goes with an erasure.
constexpr std::array kSame{"identifiers", "consents", "groups", "signals"};

// Every element is closed in the order it was opened, and there is none but these.
void check_page(const std::string& html) {
    REQUIRE(html.starts_with("<!doctype html>\n<html lang=\"en\">"));
    const std::set<std::string> known{
        "html", "head", "title", "style", "body",    "main",  "nav",   "ol",      "li",
        "a",    "h1",   "h2",    "p",     "section", "table", "thead", "tbody",   "tr",
        "th",   "td",   "dl",    "dt",    "dd",      "ul",    "time",  "article", "meta"};
    std::vector<std::string> open;
    for (auto at = html.find('<', 15); at != html.npos; at = html.find('<', at + 1)) {
        const bool close = html[at + 1] == '/';
        const auto from = at + 1 + (close ? 1 : 0);
        const auto name = html.substr(from, html.find_first_of(" >", from) - from);
        CAPTURE(html.substr(at, 80));
        REQUIRE(known.contains(name));
        if (name == "meta") continue;
        if (!close) {
            open.push_back(name);
        } else {
            REQUIRE((!open.empty() && open.back() == name));
            open.pop_back();
        }
    }
    CHECK(open.empty());
    for (const auto* never : {"<script", "http:", "https:", "src=", "url("})
        CHECK(html.find(never) == html.npos);
}

}  // namespace

TEST_CASE("a report tells everything held about a person, from where and for whom") {
    Household world;
    const auto all = report(world, "email", "a@shop.example");
    INFO(all.dump(1));
    CHECK(all["report"]["asked"] == json{{"type", "email"}, {"value", "a@shop.example"}});
    CHECK(all["identifiers"].size() == 3);
    const auto& address = named(all["identifiers"], "type", "email");
    CHECK(address["value"] == "a@shop.example");
    CHECK(address["first_seen"] == "2026-11-20T10:00:00.000Z");
    CHECK(address["seen_by"] == json{"till"});
    CHECK(named(all["identifiers"], "type", "user_id")["last_seen"] == "2026-11-20T12:00:00.000Z");
    const auto& plan = named(all["traits"], "name", "plan");
    CHECK(plan["value"] == "silver");
    CHECK(plan["source"] == "till");
    CHECK(plan["identifier"]["value"] == "u1");
    CHECK(plan["in_use"] == true);
    const auto& note = named(all["traits"], "name", "note");
    for (const auto& channel : note["channels"]) CHECK(channel["reason"] == "unmapped");
    const auto& email = named(all["traits"], "name", "email");
    const auto& tool = named(email["channels"], "channel", "email_tool");
    CHECK(tool["may_have_it"] == true);
    CHECK(tool["reason"] == "granted");
    CHECK(named(email["channels"], "channel", "ads_tool")["may_have_it"] == true);
    CHECK(all["groups"][0]["group"] == "acme");
    CHECK(all["consents"].size() == 2);
    CHECK(named(all["consents"], "purpose", "email_marketing")["receipt"]
              .get<std::string>()
              .starts_with("/v1/receipts/"));
    REQUIRE(all["disclosures"].size() == 1);
    CHECK(all["disclosures"][0]["channel"] == "email_tool");
    CHECK(all["disclosures"][0]["times"] == 2);
    CHECK(named(all["disclosures"][0]["fields"], "name", "email")["form"] == "raw");
    CHECK(all["looked_at"] == json{{{"role", "officer"}, {"day", "2026-11-21"}, {"times", 1}}});
    CHECK(named(all["decisions"], "channel", "email_tool")["purpose"] == "email_marketing");
    CHECK(all["unreadable"].empty());
    CHECK(named(all["sources"], "source", "till")["events"] == all["events"].size());
    // The key by which it was sent is nobody's to read.
    CHECK(all.dump().find("caaaaaaaaaaaaaaaaaaaaaaaa") == std::string::npos);
}

TEST_CASE("events on a tablet are told to whom they are attributed, and to nobody else") {
    Household world;
    const auto one = names_of(report(world, "user_id", "u1")["events"]);
    CHECK(one == std::set<std::string>{"m1", "m2", "m3", "m4", "ku1", "k4", "k5"});
    const auto other = report(world, "user_id", "u2");
    CHECK(names_of(other["events"]) == std::set<std::string>{"ku2", "k6", "k7"});
    CHECK(named(other["events"], "time", "2026-11-20T18:01:00.000Z")["yours_by"]["value"] == "u2");
    CHECK(other["shared_identifiers"] == json{{{"type", "anonymous_id"}, {"value", "tablet"}}});
    for (const auto* secret : {"a@shop.example", "u1", "gold", "silver", "acme"})
        CHECK(other.dump().find("\"" + std::string(secret) + "\"") == std::string::npos);
    CHECK(report(world, "anonymous_id", "tablet")["error"] == "identifier_shared");
    CHECK(report(world, "email", "nobody@shop.example")["error"] == "person_unknown");
    CHECK(report(world, "email", "no address")["error"] == "malformed_identifier");
}

TEST_CASE("of a link to somebody else only the kind is told") {
    Household world;
    // Somebody else's address, in an event of this account.
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    for (const auto* user : {"u2", "u1"})
        world.send_one(R"({"type":"identify","userId":")" + std::string(user) +
                           R"(","messageId":"b)" + user +
                           R"(","traits":{"email":"b@shop.example"},)"
                           R"("timestamp":"2026-11-20T13:00:00Z"})",
                       till);
    const auto all = report(world, "user_id", "u1");
    INFO(all["links"].dump(1));
    std::size_t others = 0;
    for (const auto& link : all["links"]) {
        if (link["both_are_yours"] == true || link["b"]["type"] == "anonymous_id") continue;
        CHECK(link["b"]["value"].is_null());
        ++others;
    }
    CHECK(others == 1);
}

TEST_CASE("a report holds what an erasure would take", "[seeds]") {
    const auto seed = GENERATE(tests::seeds(4));
    CAPTURE(seed);
    cdp::Random random(seed);
    std::size_t compared = 0;
    {
        PlatformWorld world(tests::open_config());
        const auto sent = tests::random_events(random, 60);
        tests::send(world, sent);
        for (int i = 0; i < 3; ++i) tests::say(world, tests::random_request(random, world, sent));
        for (const auto* email : {"e0@shop.example", "e1@shop.example"})
            world.consent("email", email, "email_marketing", "granted");
        for (const auto& person : world.exported(cdp::ExportKind::persons)) {
            const auto& one = person["identifiers"][0];
            const std::string type = one["type"];
            const std::string value = one["value"];
            CAPTURE(type, value);
            const auto all = report(world, type, value);
            const auto dry = tests::dry_run(world, type, value);
            if (all.value("error", "") == "identifier_shared") {
                CHECK(dry["error"] == "identifier_shared");
                continue;
            }
            REQUIRE(!all.contains("error"));
            const auto& counts = all["counts"];
            CAPTURE(counts.dump(), dry.dump());
            CHECK(counts["events"] == dry["events"]);
            CHECK(all["events"].size() == counts["events"]);
            CHECK(counts["identifiers"] <= dry["identifiers"]);
            // Whom nothing else names goes too, with what is filed there.
            if (counts["identifiers"] != dry["identifiers"]) continue;
            ++compared;
            for (const auto* what : kSame) CHECK(counts[what] == dry[what]);
            CHECK(counts["disclosures"] == dry["disclosures"]);
            CHECK(counts["links"] <= dry["links"]);
            CHECK(counts["traits"] <= dry["traits"]);
        }
    }
    CHECK(compared > 0);
}

TEST_CASE("of somebody who shares nothing an erasure takes exactly what is told") {
    PlatformWorld world(tests::open_config());
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    for (const auto* user : {"u1", "u2"})
        for (int i = 0; i < 3; ++i)
            world.send_one(json{{"type", "identify"},
                                {"userId", user},
                                {"anonymousId", std::string("c-") + user},
                                {"messageId", std::string(user) + std::to_string(i)},
                                {"traits", {{"plan", std::to_string(i)}, {"size", 7}}}}
                               .dump(),
                           till);
    const auto all = report(world, "user_id", "u1");
    const auto dry = tests::dry_run(world, "user_id", "u1");
    CHECK(all["counts"] == dry);
    CHECK(dry["links"] == 1);
    CHECK(dry["traits"] == 2);
}

TEST_CASE("somebody with very many events is told them in pieces") {
    PlatformWorld world(tests::open_config());
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    constexpr int kEvents = 1'300;
    for (int at = 0; at < kEvents; at += 100) {
        auto batch = json::array();
        for (int i = at; i < at + 100; ++i)
            batch.push_back({{"type", "track"},
                             {"event", "x"},
                             {"userId", "u1"},
                             {"messageId", "b" + std::to_string(i)},
                             {"properties", {{"filler", std::string(500, 'x')}}},
                             {"timestamp", "2026-11-20T10:00:00Z"}});
        world.send(json{{"batch", batch}}.dump(), till);
    }
    for (const auto format : {ReportFormat::json, ReportFormat::html, ReportFormat::portable}) {
        const auto out = tests::told(world, "user_id", "u1", format);
        REQUIRE(out.done);
        CHECK(out.text.size() > kEvents * 500);
        CHECK(out.largest < 8'000);
    }
    CHECK(names_of(report(world, "user_id", "u1")["events"]).size() == kEvents);
    // Who stops reading is told no more.
    std::size_t pieces = 0;
    REQUIRE(world.platform().privacy().reports.write(
        PlatformWorld::officer(), {.type = "user_id", .value = "u1"},
        [&](std::string_view) { return ++pieces < 3; }));
    CHECK(pieces == 3);
}

TEST_CASE("what cannot be read any more is counted, and nothing is decided without it") {
    Household world;
    const auto token = world.vault().token("email", "a@shop.example");
    const auto before = report(world, "user_id", "u1");
    storage::Transaction transaction(*world.store().snapshot(), storage::kPartition);
    transaction.erase(storage::KeyWriter(storage::Space::subject_key, token).str());
    REQUIRE(storage::commit_and_wait(world.store(), std::move(transaction)).state ==
            storage::CommitState::ok);
    world.vault().forget(token);
    const auto all = report(world, "user_id", "u1");
    INFO(all.dump(1));
    CHECK(named(all["unreadable"], "what", "identifiers")["count"] == 1);
    CHECK(named(all["unreadable"], "what", "consents")["count"] == 1);
    CHECK(named(all["unreadable"], "what", "decisions")["count"] == 1);
    CHECK(named(all["unreadable"], "what", "disclosures")["count"].get<int>() >= 1);
    CHECK(all["decisions"].empty());
    CHECK(named(all["identifiers"], "type", "email")["value"].is_null());
    CHECK(all["counts"]["consents"] == before["counts"]["consents"]);
    CHECK(all["counts"]["identifiers"] == before["counts"]["identifiers"]);
}

TEST_CASE("the page says what the document says, and runs nothing") {
    Household world;
    const auto all = report(world, "user_id", "u1");
    const auto out = tests::told(world, "user_id", "u1", ReportFormat::html,
                                 {{"email_marketing", "Letters <by> e-mail"}});
    REQUIRE(out.done);
    const auto& page = out.text;
    check_page(page);
    CHECK(page.find("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;more&quot;") !=
          page.npos);
    CHECK(page.find("Letters &lt;by&gt; e-mail") != page.npos);
    CHECK(page.find("email_marketing<") == page.npos);
    CHECK(page.find("e-mail address a@shop.example") != page.npos);
    CHECK(page.find("you agreed") != page.npos);
    CHECK(page.find("never_asked") == page.npos);
    for (const auto& [part, content] : all.items())
        CHECK(page.find("<section id=\"" + part + "\">") != page.npos);
    for (const auto& one : all["events"])
        CHECK(page.find(one["event"]["messageId"].get<std::string>()) != page.npos);
    for (const auto& one : all["consents"])
        CHECK(page.find(one["id"].get<std::string>()) != page.npos);
}

TEST_CASE("what may be taken along is what was given, on consent or contract") {
    Household world;
    const auto out = tests::told(world, "email", "a@shop.example", ReportFormat::portable);
    REQUIRE(out.done);
    std::map<std::string, std::vector<json>> lines;
    std::istringstream in(out.text);
    for (std::string line; std::getline(in, line);) {
        const auto one = json::parse(line);
        lines[one["kind"]].push_back(one);
    }
    CHECK(lines["about"].size() == 1);
    CHECK(lines["identifier"].size() == 3);
    CHECK(lines["event"].size() == 7);
    CHECK(named(json(lines["trait"]), "name", "plan")["value"] == "silver");
    REQUIRE(lines["end"].size() == 1);
    CHECK(lines["end"][0]["events"] == 7);
    for (const auto* ours : {"decision", "person", "link", "channel", "receivedAt"})
        CHECK(out.text.find("\"" + std::string(ours) + "\"") == std::string::npos);
}

TEST_CASE("what rests on neither consent nor contract is not taken along, and counted") {
    auto config = tests::open_config();
    for (auto& purpose : config.policy.purposes) purpose.regime = consent::Regime::person_opt_out;
    PlatformWorld world(config);
    world.send_one(
        R"({"type":"identify","userId":"u1","messageId":"m1","traits":{"plan":"gold"}})");
    const auto out = tests::told(world, "user_id", "u1", ReportFormat::portable);
    REQUIRE(out.done);
    CHECK(out.text.find("gold") == std::string::npos);
    CHECK(out.text.find(R"("left_out":{"traits":1,"events":1,"properties":0})") !=
          std::string::npos);
}

TEST_CASE("a report is itself a look at the person") {
    Household world;
    report(world, "user_id", "u1");
    const auto seen = world.audited("access", {.subject = cdp::AuditSubject{"user_id", "u1"}});
    INFO(seen.dump(1));
    CHECK(seen.dump().find("asked by the person") != std::string::npos);
}
