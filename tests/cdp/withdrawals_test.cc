#include "cdp/withdrawals.h"
#include "cdp/privacy.h"

#include <algorithm>

#include "cdp/base/bytes.h"
#include "cdp/erasures.h"
#include "consent/cursor.h"
#include "consent/entry.h"
#include "tests/cdp/world.h"

using nlohmann::json;
using tests::PlatformWorld;

// Who must be told that somebody withdrew, and who has taken note.
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kTwoDays = 2 * 24 * 3600;

cdp::Config shop_config() {
    cdp::Config config;
    for (auto& channel : config.policy.channels)
        if (channel.id == "email_tool") channel.withdrawal_seconds = kTwoDays;
    return config;
}

struct Shop : PlatformWorld {
    Shop() : PlatformWorld(shop_config()) {}

    void known(const std::string& user) {
        const auto mail = user + "@shop.example";
        send_one(R"({"type":"identify","userId":")" + user + R"(","traits":{"email":")" + mail +
                     R"(","firstName":"A"},"messageId":"i-)" + user + R"("})",
                 source("crm", cdp::Trust::server));
        // So that it is one person, whatever the trust of an address.
        clock().advance(1s);
    }
    void grants(const std::string& user) { says(user, "granted"); }
    void withdraws(const std::string& user) { says(user, "withdrawn"); }
    void says(const std::string& user, const std::string& state,
              const std::string& purpose = "email_marketing") {
        clock().advance(1min);
        consent("user_id", user, purpose, state, "person", clock().now());
        if (state == "granted")
            consent("email", user + "@shop.example", purpose, state, "person", clock().now());
        clock().advance(1min);
    }
    void withdraws_under_both(const std::string& user) {
        clock().advance(1min);
        cdp::ConsentRequest request;
        request.identifiers = {{"user_id", user}, {"email", user + "@shop.example"}};
        request.purpose = "email_marketing";
        request.state = "withdrawn";
        bool stored = false;
        platform().record_consents(source("crm", cdp::Trust::server), {request},
                                   [&](auto result) { stored = static_cast<bool>(result); });
        REQUIRE(stored);
        clock().advance(1min);
    }
    // Whether something was given.
    bool read(const std::string& user, const std::string& tool = "email_tool",
              const std::string& purpose = "email_marketing") {
        clock().advance(1min);
        const auto answer = profile(tool, "user_id", user, purpose);
        CAPTURE(answer.dump());
        clock().advance(1min);
        return !answer.value("traits", json::object()).empty();
    }
    json feed(const cdp::Reader& reader, const cdp::WithdrawalsQuery& query) {
        const auto answer = platform().withdrawals().feed(reader, query);
        if (!answer) return {{"error", answer.error().reason}};
        return json::parse(*answer);
    }
    json feed(const std::string& tool = "email_tool", const cdp::WithdrawalsQuery& query = {}) {
        return feed(cdp::Reader{.who = channel(tool), .route = "a test"}, query);
    }
    std::string acknowledge(const json& one, const std::string& tool = "email_tool") {
        const std::vector<cdp::Acknowledgement> all{{one.at("record"), one.at("person")}};
        const auto made = platform().withdrawals().acknowledge(channel(tool), all);
        if (!made) return made.error().reason + " " + made.error().pointer;
        return std::to_string(*made);
    }
    json asked(const std::string& status = "", const std::string& tool = "") {
        cdp::AuditQuery query;
        query.status = status;
        query.channel = tool;
        return audited("withdrawals", query);
    }
};

// Erasures are told by the same feed.
json withdrawals_in(const json& page) {
    auto out = json::array();
    for (const auto& one : page.at("withdrawals"))
        if (one.at("kind") == "withdrawal") out.push_back(one);
    return out;
}

// What is sealed is another text each time.
json without_places(json withdrawals) {
    for (auto& one : withdrawals) one.erase("position");
    return withdrawals;
}

}  // namespace

TEST_CASE("a channel is told of whoever withdraws what it was given") {
    Shop shop;
    shop.known("u1");
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    const auto before = shop.feed();
    CHECK(before.at("withdrawals").empty());
    CHECK(before.at("end") == true);
    shop.withdraws("u1");
    const auto page = shop.feed();
    CAPTURE(page.dump());
    REQUIRE(page.at("withdrawals").size() == 1);
    const auto& one = page.at("withdrawals")[0];
    CHECK(one.at("purposes") == json{"email_marketing"});
    CHECK(one.at("acknowledged") == false);
    const auto received = cdp::parse_time(one.at("received").get<std::string>());
    REQUIRE(received);
    CHECK(one.at("due") == cdp::format_time(*received + std::chrono::seconds{kTwoDays}));
    CHECK(one.at("person") ==
          shop.profile("email_tool", "user_id", "u1", "email_marketing").at("person"));
    CHECK(page.at("end") == true);
    CHECK(shop.feed("ads_tool").at("withdrawals").empty());
    const auto after = [&](const json& position, const std::string& tool = "email_tool") {
        return shop.feed(tool, {.after = position});
    };
    CHECK(after(before.at("next")).at("withdrawals").size() == 1);
    CHECK(after(one.at("position")).at("withdrawals").empty());
    CHECK(after(page.at("next")).at("withdrawals").empty());
    CHECK(after("latest").at("withdrawals").empty());
    CHECK(after("x").at("error") == "malformed_cursor");
    CHECK(shop.feed("no_tool").at("error") == "channel_unknown");
}

TEST_CASE("what a channel keeps of its place tells nothing of what others said") {
    Shop shop;
    shop.known("u1");
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    shop.withdraws("u1");
    const auto one = shop.feed();
    const auto again = shop.feed();
    CHECK(one.at("next") != again.at("next"));
    CHECK(one.at("next").get<std::string>().size() == again.at("next").get<std::string>().size());
    shop.known("u2");
    for (int i = 0; i < 3; ++i) {
        shop.grants("u2");
        shop.withdraws("u2");
    }
    const auto later = shop.feed();
    REQUIRE(later.at("withdrawals").size() == 1);
    CHECK(later.at("next").get<std::string>().size() == one.at("next").get<std::string>().size());
    // From any of them on nothing is lost: it is where it was.
    CHECK(shop.feed("email_tool", {.after = one.at("next")}).at("withdrawals").empty());
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    shop.withdraws("u1");
    CHECK(shop.feed("email_tool", {.after = one.at("next")}).at("withdrawals").size() == 1);
    // A number would tell by its refusal how many there are; another channel's would, too.
    for (const auto* number : {"0", "1", "2", "1000"})
        CHECK(shop.feed("email_tool", {.after = number}).at("error") == "malformed_cursor");
    CHECK(shop.feed("ads_tool", {.after = one.at("next")}).at("error") == "malformed_cursor");
    // Of a data folder that was put back.
    const auto ahead = consent::Cursor::seal(shop.vault(), "withdrawals for email_tool",
                                             cdp::ByteWriter().u64(1000).str());
    CHECK(shop.feed("email_tool", {.after = ahead.text()}).at("error") == "position_unknown");
}

TEST_CASE("nobody is told of a withdrawal of what they were not given") {
    Shop shop;
    shop.known("u1");
    // Nothing but that it is withheld.
    CHECK_FALSE(shop.read("u1"));
    shop.withdraws("u1");
    CHECK(shop.feed().at("withdrawals").empty());
    // Of another purpose.
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    shop.says("u1", "withdrawn", "advertising");
    CHECK(shop.feed().at("withdrawals").empty());
    CHECK(shop.asked().at("withdrawals").empty());
    shop.says("u1", "withdrawn", "*");
    CHECK(shop.feed().at("withdrawals").size() == 1);
}

TEST_CASE("of several withdrawals the first that follows a disclosure counts") {
    Shop shop;
    shop.known("u1");
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    shop.withdraws("u1");
    shop.withdraws("u1");
    CHECK_FALSE(shop.read("u1"));
    shop.withdraws("u1");
    CHECK(shop.feed().at("withdrawals").size() == 1);
    shop.grants("u1");
    shop.withdraws("u1");
    CHECK(shop.feed().at("withdrawals").size() == 1);
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    shop.withdraws("u1");
    const auto page = shop.feed();
    REQUIRE(page.at("withdrawals").size() == 2);
    CHECK(shop.asked().at("withdrawals")[0].at("position") == 1);
    CHECK(shop.asked().at("withdrawals")[1].at("position") == 5);
}

TEST_CASE("pages of the feed, one by one, are one big page") {
    Shop shop;
    for (const auto* user : {"u1", "u2", "u3", "u4"}) {
        shop.known(user);
        shop.grants(user);
        REQUIRE(shop.read(user));
        shop.withdraws(user);
    }
    const auto whole = shop.feed();
    REQUIRE(whole.at("withdrawals").size() == 4);
    auto parts = json::array();
    std::string after;
    for (bool end = false; !end;) {
        const auto page = shop.feed("email_tool", {.after = after, .limit = 1});
        for (const auto& one : page.at("withdrawals")) parts.push_back(one);
        after = page.at("next");
        end = page.at("end");
    }
    CHECK(without_places(parts) == without_places(whole.at("withdrawals")));

    auto rows = json::array();
    cdp::AuditQuery query;
    query.page.limit = 1;
    do {
        const auto page = shop.audited("withdrawals", query);
        CAPTURE(page.dump());
        REQUIRE(page.contains("withdrawals"));
        for (const auto& one : page.at("withdrawals")) rows.push_back(one);
        query.page.cursor = page.at("next").is_null() ? "" : page.at("next").get<std::string>();
    } while (!query.page.cursor.empty());
    CHECK(rows == shop.asked().at("withdrawals"));
    CHECK(rows.size() == 4);
}

TEST_CASE("an acknowledgement is kept once, with an entry in the ledger") {
    Shop shop;
    shop.known("u1");
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    shop.withdraws("u1");
    const auto one = shop.feed().at("withdrawals")[0];
    CHECK(shop.acknowledge(one, "ads_tool") == "withdrawal_unknown /acknowledgements/0");
    const auto log = consent::ledger_prefix();
    const auto entries = [&] { return *storage::log_size(*shop.store().snapshot(), log); };
    const auto before = entries();
    CHECK(shop.acknowledge(one) == "1");
    CHECK(entries() == before + 1);
    CHECK(shop.acknowledge(one) == "0");
    CHECK(entries() == before + 1);
    CHECK(shop.feed().at("withdrawals")[0].at("acknowledged") == true);
    auto other = one;
    other["record"] = std::string(32, '0');
    CHECK(shop.acknowledge(other) == "withdrawal_unknown /acknowledgements/0");
    other = one;
    other["person"] = std::string(32, '0');
    CHECK(shop.acknowledge(other) == "withdrawal_unknown /acknowledgements/0");
    other["person"] = "x";
    CHECK(shop.acknowledge(other) == "malformed_id /acknowledgements/0/person");
}

TEST_CASE("officers see what is open, how old it is, and what has been acknowledged") {
    Shop shop;
    CHECK(shop.asked() == json{{"withdrawals", json::array()}, {"next", nullptr}});
    shop.known("u1");
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    shop.withdraws("u1");
    shop.clock().advance(1h);
    auto open = shop.asked("open").at("withdrawals");
    CAPTURE(open.dump());
    REQUIRE(open.size() == 1);
    CHECK(open[0].at("channel") == "email_tool");
    CHECK(open[0].at("purpose") == "email_marketing");
    CHECK(open[0].at("state") == "withdrawn");
    CHECK(open[0].at("identifiers") == json{{{"type", "user_id"}, {"value", "u1"}}});
    CHECK(open[0].at("age_seconds") == 3660);
    CHECK(open[0].at("overdue") == false);
    CHECK(open[0].at("told").is_null());
    CHECK(open[0].at("acknowledged").is_null());
    const auto& fields = open[0].at("disclosed").at("fields");
    CHECK(std::ranges::find(fields, json("fields/firstName")) != fields.end());
    CHECK(shop.asked("acknowledged").at("withdrawals").empty());
    CHECK(shop.asked("", "ads_tool").at("withdrawals").empty());
    CHECK(shop.asked("nonsense").at("error") == "status_unknown");
    CHECK(shop.asked("", "nonsense").at("error") == "channel_unknown");

    const auto told = shop.clock().now();
    const auto one = shop.feed().at("withdrawals")[0];
    CHECK(shop.asked("open").at("withdrawals")[0].at("told") == cdp::format_time(told));
    shop.clock().advance(std::chrono::hours{48});
    CHECK(shop.asked("open").at("withdrawals")[0].at("overdue") == true);
    REQUIRE(shop.acknowledge(one) == "1");
    CHECK(shop.asked("open").at("withdrawals").empty());
    const auto done = shop.asked("acknowledged").at("withdrawals");
    REQUIRE(done.size() == 1);
    CHECK(done[0].at("overdue") == true);
    CHECK(done[0].at("acknowledged").at("by") == "email_tool");
    CHECK(done[0].at("acknowledged").at("time") == cdp::format_time(shop.clock().now()));
    cdp::AuditQuery query;
    query.subject = {"user_id", "u1"};
    const auto recipients = shop.audited("recipients", query).at("recipients");
    REQUIRE(recipients.size() == 1);
    CHECK(recipients[0].at("withdrawals") ==
          json{{{"record", one.at("record")},
                {"received", one.at("received")},
                {"due", one.at("due")},
                {"acknowledged", cdp::format_time(shop.clock().now())}}});
}

TEST_CASE("an officer reads a channel's feed by naming it") {
    Shop shop;
    CHECK(shop.feed(PlatformWorld::officer(), {}).at("error") == "channel_required");
    CHECK(shop.feed(PlatformWorld::officer(), {.channel = "x"}).at("error") == "channel_unknown");
    shop.known("u1");
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    shop.withdraws("u1");
    CHECK(without_places(
              shop.feed(PlatformWorld::officer(), {.channel = "email_tool"}).at("withdrawals")) ==
          without_places(shop.feed().at("withdrawals")));
    CHECK(shop.feed("ads_tool", {.channel = "email_tool"}).at("error") == "channel_unknown");
}

TEST_CASE("a withdrawal under one identifier concerns what was told of the whole person") {
    Shop shop;
    shop.known("u1");
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    shop.clock().advance(1min);
    // From the browser, on an event.
    shop.send_one(
        R"({"type":"track","event":"x","userId":"u1","anonymousId":"c1","messageId":"t1",)"
        R"("context":{"consent":{"categoryPreferences":{"email_marketing":false}}}})");
    shop.clock().advance(1min);
    const auto page = shop.feed();
    CAPTURE(page.dump(), shop.asked().dump());
    REQUIRE_FALSE(page.at("withdrawals").empty());
    REQUIRE(shop.acknowledge(page.at("withdrawals")[0]) == "1");
}

TEST_CASE("after a merge a withdrawal concerns what was told of either") {
    Shop shop;
    shop.known("u1");
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    // Another person, of whom nothing was told, says no to everything.
    shop.send_one(R"({"type":"track","event":"x","anonymousId":"c1","messageId":"t1"})");
    shop.clock().advance(1min);
    shop.consent("anonymous_id", "c1", "*", "withdrawn", "person", shop.clock().now());
    shop.clock().advance(1min);
    CHECK(shop.asked().at("withdrawals").empty());
    shop.send_one(R"({"type":"identify","anonymousId":"c1","userId":"u1","messageId":"t2"})");
    const auto open = shop.asked("open").at("withdrawals");
    CAPTURE(open.dump());
    REQUIRE(open.size() == 1);
    CHECK(shop.acknowledge(open[0]) == "1");
    CHECK(shop.asked("open").at("withdrawals").empty());
}

TEST_CASE("a second refusal on the same day is open, though the feed has passed the first") {
    Shop shop;
    shop.clock().set("2026-11-20T00:05:00Z");
    shop.known("u1");
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    int events = 0;
    const auto says = [&](bool granted) {
        shop.clock().advance(1h);
        shop.send_one(
            json{{"type", "track"},
                 {"event", "x"},
                 {"userId", "u1"},
                 {"messageId", "s" + std::to_string(++events)},
                 {"context",
                  {{"consent", {{"categoryPreferences", {{"email_marketing", granted}}}}}}}}
                .dump(),
            shop.source("crm", cdp::Trust::server));
        shop.clock().advance(1h);
    };
    says(false);
    const auto first = shop.feed().at("withdrawals");
    REQUIRE(first.size() == 1);
    REQUIRE(shop.acknowledge(first[0]) == "1");
    CHECK(shop.asked("open").at("withdrawals").empty());
    says(true);
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    CHECK(shop.asked("open").at("withdrawals").empty());
    says(false);
    const auto open = shop.asked("open").at("withdrawals");
    REQUIRE(open.size() == 1);
    CHECK(open[0].at("record") == first[0].at("record"));
    CHECK(open[0].at("time") > first[0].at("time"));
    CHECK(shop.acknowledge(open[0]) == "1");
    CHECK(shop.acknowledge(open[0]) == "0");
    CHECK(shop.asked("open").at("withdrawals").empty());
    says(false);
    CHECK(shop.asked("open").at("withdrawals").empty());
}

TEST_CASE("a channel that is registered no more still has what it was told") {
    Shop shop;
    shop.known("u1");
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    shop.withdraws("u1");
    auto config = shop_config();
    std::erase_if(config.policy.channels, [](const auto& one) { return one.id == "email_tool"; });
    shop.restart(config);
    const auto open = shop.asked("open", "email_tool").at("withdrawals");
    REQUIRE(open.size() == 1);
    CHECK(open[0].at("recipient").is_null());
    CHECK(shop.asked("", "no_tool").at("error") == "channel_unknown");
    CHECK(shop.acknowledge(open[0], "no_tool") == "channel_unknown ");
    CHECK(shop.acknowledge(open[0]) == "1");
    CHECK(shop.asked("open").at("withdrawals").empty());
}

TEST_CASE("what was said under several identifiers outlives one of them") {
    for (const auto* type : {"user_id", "email"}) {
        Shop shop;
        shop.known("u1");
        shop.grants("u1");
        REQUIRE(shop.read("u1"));
        shop.withdraws_under_both("u1");
        CHECK(withdrawals_in(shop.asked("open")).size() == 1);
        const std::string value = *type == 'u' ? "u1" : "u1@shop.example";
        REQUIRE(shop.platform().privacy().erasures.erase(
            PlatformWorld::officer(), "officer:o",
            {.type = type, .value = value, .scope = cdp::ErasureScope::identifier}));
        const auto records = shop.exported(cdp::ExportKind::consents);
        CAPTURE(type, records);
        CHECK(std::ranges::count_if(records, [](const json& line) {
                  return line.value("state", "") == "withdrawn";
              }) == 1);
        CHECK(withdrawals_in(shop.asked("open")).size() == 1);
    }
}

TEST_CASE("a page that ends among those whom one withdrawal concerns goes on behind them") {
    Shop shop;
    shop.known("u1");
    shop.grants("u1");
    shop.says("u1", "granted", "advertising");
    REQUIRE(shop.read("u1"));
    REQUIRE(shop.read("u1", "ads_tool", "advertising"));
    shop.says("u1", "withdrawn", "*");
    const auto whole = shop.asked().at("withdrawals");
    REQUIRE(whole.size() == 2);
    CHECK(whole[0].at("position") == whole[1].at("position"));
    cdp::AuditQuery query;
    query.page.limit = 1;
    query.status = "open";
    const auto first = shop.audited("withdrawals", query);
    CHECK(first.at("withdrawals") == json{whole[0]});
    // It is on no page of this list any more.
    REQUIRE(shop.acknowledge(whole[0], whole[0].at("channel")) == "1");
    query.page.cursor = first.at("next");
    const auto second = shop.audited("withdrawals", query);
    REQUIRE(second.at("withdrawals").size() == 1);
    CHECK(second.at("withdrawals")[0].at("channel") == whole[1].at("channel"));
    CHECK(second.at("next").is_null());
    query.page.cursor = "00";
    CHECK(shop.audited("withdrawals", query).at("error") == "malformed_cursor");
}

TEST_CASE("who is erased is told of as a withdrawal until the channel takes note") {
    Shop shop;
    shop.known("u1");
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    shop.withdraws("u1");
    const auto before = shop.feed().at("withdrawals")[0];
    const auto open_before = shop.asked("open").at("withdrawals")[0];
    REQUIRE(shop.platform().privacy().erasures.erase(PlatformWorld::officer(), "officer:kim",
                                                     {.type = "user_id", .value = "u1"}));
    shop.clock().advance(1min);
    const auto page = shop.feed();
    CAPTURE(page.dump());
    REQUIRE(withdrawals_in(page).size() == 1);
    CHECK(without_places(withdrawals_in(page)) == without_places(json{before}));
    CHECK(page.at("end") == true);
    auto open = withdrawals_in(shop.asked("open")).at(0);
    // By whose person's id alone.
    CHECK(open.at("identifiers").empty());
    CHECK(open.at("disclosed") == open_before.at("disclosed"));
    CHECK_FALSE(open.at("told").is_null());
    CHECK(open.at("due") == open_before.at("due"));

    CHECK(shop.feed("ads_tool").at("withdrawals").empty());
    CHECK(shop.acknowledge(before, "ads_tool") == "withdrawal_unknown /acknowledgements/0");
    CHECK(shop.acknowledge(before) == "1");
    CHECK(shop.acknowledge(before) == "0");
    CHECK(withdrawals_in(shop.asked("open")).empty());
    CHECK(shop.asked("acknowledged").at("withdrawals").size() == 1);
    CHECK(withdrawals_in(shop.feed())[0].at("acknowledged") == true);

    // Who comes back under the same id has taken nothing back yet.
    shop.clock().advance(1h);
    shop.known("u1");
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    CHECK(withdrawals_in(shop.asked("open")).empty());
    shop.withdraws("u1");
    CHECK(withdrawals_in(shop.asked("open")).size() == 1);
    CHECK(shop.acknowledge(withdrawals_in(shop.feed())[1]) == "1");
}

TEST_CASE("of who is erased nothing is told that was acknowledged, or goes on standing") {
    Shop shop;
    shop.known("u1");
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    shop.withdraws("u1");
    REQUIRE(shop.acknowledge(shop.feed().at("withdrawals")[0]) == "1");
    REQUIRE(shop.platform().privacy().erasures.erase(PlatformWorld::officer(), "officer:kim",
                                                     {.type = "user_id", .value = "u1"}));
    CHECK(withdrawals_in(shop.feed()).empty());

    shop.known("u2");
    shop.grants("u2");
    REQUIRE(shop.read("u2"));
    shop.withdraws_under_both("u2");
    const auto one = withdrawals_in(shop.feed()).at(0);
    REQUIRE(shop.platform().privacy().erasures.erase(
        PlatformWorld::officer(), "officer:kim",
        {.type = "email", .value = "u2@shop.example", .scope = cdp::ErasureScope::identifier}));
    // Once, whether or not it stands under what is left of the person.
    CHECK(withdrawals_in(shop.feed()).size() == 1);
    CHECK(shop.acknowledge(one) == "1");
    CHECK(withdrawals_in(shop.asked("open")).empty());
}

TEST_CASE("whoever had data of who was erased can be told") {
    Shop shop;
    shop.known("u1");
    shop.grants("u1");
    REQUIRE(shop.read("u1"));
    const cdp::AuditQuery query{.subject = {{"email", "u1@shop.example"}}};
    CHECK(shop.audited("recipients", query).at("before_erasure").empty());
    const auto erase = [&] {
        const auto done = shop.platform().privacy().erasures.erase(
            PlatformWorld::officer(), "officer:kim", {.type = "user_id", .value = "u1"});
        REQUIRE(done);
        return json::parse(*done).at("id");
    };
    const auto first = erase();
    const auto told = shop.audited("recipients", query);
    CAPTURE(told.dump());
    CHECK(told.at("recipients").empty());
    REQUIRE(told.at("before_erasure").size() == 1);
    CHECK(told.at("before_erasure")[0].at("channel") == "email_tool");
    CHECK(told.at("before_erasure")[0].at("erasures") == json{first});

    // A second one that finds nothing hides nothing.
    shop.clock().advance(1min);
    const auto second = [&] {
        const auto done = shop.platform().privacy().erasures.erase(
            PlatformWorld::officer(), "officer:kim", {.type = "email", .value = "u1@shop.example"});
        REQUIRE(done);
        return json::parse(*done).at("id");
    }();
    auto all = query;
    all.page.limit = 1;
    const auto newest = shop.audited("erasures", all);
    REQUIRE(newest.at("erasures").size() == 1);
    CHECK(newest.at("erasures")[0].at("erasure").at("id") == second);
    all.page.cursor = newest.at("next");
    const auto rest = shop.audited("erasures", all);
    REQUIRE(rest.at("erasures").size() == 1);
    CHECK(rest.at("erasures")[0].at("erasure").at("id") == first);
    CHECK(rest.at("erasures")[0].at("erasure").at("erased").at("events") == 1);
    CHECK(rest.at("erasures")[0].at("proof").is_object());
    CHECK(rest.at("next").is_null());
    CHECK(shop.audited("recipients", query).at("before_erasure").size() == 1);
    CHECK(shop.audited("recipients", {.subject = {{"email", "nobody@shop.example"}}}).at("error") ==
          "person_unknown");
}
