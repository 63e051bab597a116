#include "cdp/erasure_recipients.h"

#include "cdp/base/bytes.h"
#include "cdp/erasures.h"
#include "cdp/platform.h"
#include "cdp/privacy.h"
#include "cdp/withdrawals.h"
#include "consent/entry.h"
#include "tests/cdp/world.h"

// Whoever was given data of who was erased is told, and what became of that is seen.
namespace {

using nlohmann::json;
using tests::PlatformWorld;
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

    // Somebody who agreed, and whose data the channel has.
    std::string read_person(const std::string& user) {
        const auto mail = user + "@shop.example";
        send_one(R"({"type":"identify","userId":")" + user + R"(","traits":{"email":")" + mail +
                     R"(","firstName":"A"},"messageId":"i-)" + user + R"("})",
                 source("crm", cdp::Trust::server));
        for (const auto& [type, value] :
             {std::pair<std::string, std::string>{"user_id", user}, {"email", mail}})
            consent(type, value, "email_marketing", "granted", "person", clock().now());
        clock().advance(1min);
        const auto answer = profile("email_tool", "user_id", user, "email_marketing");
        CAPTURE(answer.dump());
        REQUIRE_FALSE(answer.value("traits", json::object()).empty());
        clock().advance(1min);
        return answer.at("person");
    }
    json erase(const std::string& type, const std::string& value,
               cdp::ErasureScope scope = cdp::ErasureScope::person) {
        const auto answer = platform().privacy().erasures.erase(
            officer(), "officer:kim", {.type = type, .value = value, .scope = scope});
        REQUIRE(answer);
        clock().advance(1min);
        return json::parse(*answer);
    }
    json feed(const cdp::Reader& reader, const cdp::WithdrawalsQuery& query = {}) {
        const auto answer = platform().withdrawals().feed(reader, query);
        REQUIRE(answer);
        clock().advance(1min);
        return json::parse(*answer).at("withdrawals");
    }
    json feed(const std::string& tool) {
        return feed(cdp::Reader{.who = channel(tool), .route = "a test"});
    }
    std::string acknowledge(const json& one, const std::string& tool = "email_tool") {
        const std::vector<cdp::Acknowledgement> all{{one.at("record"), one.at("person")}};
        const auto made = platform().withdrawals().acknowledge(channel(tool), all);
        clock().advance(1min);
        return made ? std::to_string(*made) : made.error().reason;
    }
    // The one recipient that there is.
    json recipient(const json& erased) {
        const auto answer = platform().privacy().erasures.read(erased.at("id").get<std::string>());
        REQUIRE(answer);
        const auto all = json::parse(*answer).at("recipients");
        REQUIRE(all.size() == 1);
        return all[0];
    }
};

}  // namespace

TEST_CASE("a channel that had data of who is erased is told by its feed, and takes note") {
    Shop shop;
    const auto person = shop.read_person("u1");
    const auto erased = shop.erase("user_id", "u1");
    auto status = shop.recipient(erased);
    CAPTURE(status.dump());
    CHECK(status.at("status") == "owed");
    CHECK(status.at("since") == erased.at("completed"));
    const auto since = cdp::parse_time(status.at("since").get<std::string>());
    REQUIRE(since);
    CHECK(status.at("due") == cdp::format_time(*since + std::chrono::seconds{kTwoDays}));
    CHECK_FALSE(status.contains("told"));

    // Who looks at the feed of another tells them nothing.
    CHECK(shop.feed(PlatformWorld::officer(), {.channel = "email_tool"}).size() == 1);
    CHECK(shop.recipient(erased).at("status") == "owed");
    CHECK(shop.feed("ads_tool").empty());

    const auto told = shop.feed("email_tool");
    CAPTURE(told.dump());
    REQUIRE(told.size() == 1);
    CHECK(told[0].at("kind") == "erasure");
    CHECK(told[0].at("scope") == "person");
    CHECK(told[0].at("record") == erased.at("id"));
    CHECK(told[0].at("person") == person);
    CHECK(told[0].at("purposes") == json{"email_marketing"});
    CHECK(told[0].at("acknowledged") == false);
    status = shop.recipient(erased);
    CHECK(status.at("status") == "told");
    const auto first = status.at("told");
    shop.feed("email_tool");
    CHECK(shop.recipient(erased).at("told") == first);

    CHECK(shop.acknowledge(told[0], "ads_tool") == "withdrawal_unknown");
    CHECK(shop.acknowledge(told[0]) == "1");
    CHECK(shop.acknowledge(told[0]) == "0");
    status = shop.recipient(erased);
    CHECK(status.at("status") == "acknowledged");
    REQUIRE(shop.platform().ledger().publish(shop.clock().now()));
    const auto index = shop.recipient(erased).at("acknowledged").at("ledger_index");
    const auto entry = shop.store().snapshot()->get(consent::entry_key(index.get<std::uint64_t>()));
    REQUIRE((entry && *entry));
    CHECK(consent::decode_entry(**entry)->type == consent::EntryType::withdrawal_ack);
    CHECK(shop.feed("email_tool")[0].at("acknowledged") == true);
}

TEST_CASE("what is told of an erasure is taken note of when somebody is known by the id again") {
    Shop shop;
    shop.read_person("u1");
    const auto erased = shop.erase("user_id", "u1");
    shop.read_person("u1");
    const auto told = shop.feed("email_tool");
    REQUIRE(told.size() == 1);
    CHECK(shop.acknowledge(told[0]) == "1");
    CHECK(shop.recipient(erased).at("status") == "acknowledged");
}

TEST_CASE("an erasure of one identifier tells whose it was") {
    Shop shop;
    const auto person = shop.read_person("u1");
    const auto erased = shop.erase("email", "u1@shop.example", cdp::ErasureScope::identifier);
    const auto told = shop.feed("email_tool");
    REQUIRE(told.size() == 1);
    CHECK(told[0].at("scope") == "identifier");
    CHECK(told[0].at("person") == person);
    CHECK(told[0].dump().find("shop.example") == std::string::npos);
    CHECK(shop.acknowledge(told[0]) == "1");
}

TEST_CASE("of who was given to nobody no feed tells") {
    Shop shop;
    shop.read_person("u1");
    shop.send_one(R"({"type":"identify","userId":"u2","messageId":"i2"})");
    const auto erased = shop.erase("user_id", "u2");
    CHECK(erased.at("recipients").empty());
    CHECK(shop.feed("email_tool").empty());
}

TEST_CASE("officers see erasures among what recipients have to take note of") {
    Shop shop;
    const auto person = shop.read_person("u1");
    const auto erased = shop.erase("user_id", "u1");
    cdp::AuditQuery open;
    open.status = "open";
    const auto listed = shop.audited("withdrawals", open).at("withdrawals");
    REQUIRE(listed.size() == 1);
    CHECK(listed[0].at("kind") == "erasure");
    CHECK(listed[0].at("record") == erased.at("id"));
    CHECK(listed[0].at("person") == person);
    CHECK(listed[0].at("identifiers").empty());
    CHECK_FALSE(listed[0].at("disclosed").at("fields").empty());
    const cdp::AuditQuery who{.subject = {{"email", "u1@shop.example"}}};
    auto before = shop.audited("recipients", who).at("before_erasure");
    REQUIRE(before.size() == 1);
    CHECK(before[0].at("status") == "owed");
    CHECK(shop.acknowledge(shop.feed("email_tool")[0]) == "1");
    CHECK(shop.audited("withdrawals", open).at("withdrawals").empty());
    before = shop.audited("recipients", who).at("before_erasure");
    CHECK(before[0].at("status") == "acknowledged");
}

TEST_CASE("the status of several erasures is the least that holds of any") {
    using State = cdp::RecipientStatus::State;
    const auto day = [](int n) { return cdp::timestamp_of(std::int64_t{n} * 86'400'000); };
    cdp::RecipientStatus all;
    all.add({.state = State::acknowledged, .since = day(1), .due = day(3), .acknowledged = day(2)});
    CHECK(all.state == State::acknowledged);
    CHECK(all.since == day(1));
    CHECK(all.due == day(3));
    all.add({.state = State::told, .since = day(5), .told = day(6)});
    CHECK(all.state == State::told);
    CHECK(all.since == day(5));
    CHECK_FALSE(all.due);
    all.add({.state = State::owed, .since = day(4), .due = day(9)});
    CHECK(all.state == State::owed);
    CHECK(all.since == day(4));
    CHECK(all.due == day(9));
    all.add({.state = State::acknowledged, .since = day(1), .acknowledged = day(7)});
    CHECK(all.state == State::owed);
    CHECK(all.since == day(4));
    CHECK(all.acknowledged == day(7));
}
