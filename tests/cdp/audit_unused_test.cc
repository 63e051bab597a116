#include "cdp/disclosures.h"
#include "cdp/last_reads.h"
#include "storage/key.h"
#include "tests/cdp/world.h"

// What is stored and nobody reads.
namespace {

using nlohmann::json;
using tests::PlatformWorld;
using namespace std::chrono_literals;

constexpr auto kDay = std::chrono::hours{24};

struct Shop : PlatformWorld {
    Shop() {
        send_one(R"({"type":"identify","userId":"u1","traits":{"email":"a@shop.example",)"
                 R"("firstName":"A","shoeSize":42},"messageId":"i1"})",
                 source("crm", cdp::Trust::server));
        consent("email", "a@shop.example", "email_marketing", "granted", "person", clock().now());
        consent("user_id", "u1", "email_marketing", "granted", "person", clock().now());
        clock().advance(1min);
    }
    void read() {
        const auto answer = profile("email_tool", "user_id", "u1", "email_marketing");
        CAPTURE(answer.dump());
        REQUIRE(answer.at("traits").contains("firstName"));
        REQUIRE(platform().disclosures().drain());
    }
    json ask(const std::string& days = "30", const cdp::PageQuery& page = {}) {
        cdp::AuditQuery query;
        query.days = days;
        query.page = page;
        return audited("unused", query);
    }
    std::size_t rows() {
        std::size_t count = 0;
        REQUIRE(cdp::each_last_read(*store().snapshot(), vault(), [&](const cdp::LastRead&) {
            ++count;
            return true;
        }));
        return count;
    }
    // As a folder was before days were noted.
    void forget_days() {
        const auto snapshot = store().snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        REQUIRE(snapshot->scan(storage::space_prefix(storage::Space::last_read), "",
                               [&](std::string_view key, std::string_view) {
                                   transaction.erase(std::string(key));
                                   return true;
                               }));
        REQUIRE(storage::commit_and_wait(store(), std::move(transaction)).state ==
                storage::CommitState::ok);
    }
};

// nullptr: it is not listed.
const json* find(const json& answer, const std::string& kind, const std::string& name) {
    for (const auto& one : answer.at("unused"))
        if (one.at("kind") == kind && one.at("name") == name) return &one;
    return nullptr;
}

}  // namespace

TEST_CASE("a trait that no channel was given for so long is listed, until one is again") {
    Shop shop;
    auto answer = shop.ask();
    REQUIRE(find(answer, "trait", "firstName"));
    CHECK(find(answer, "trait", "firstName")->at("never") == true);
    CHECK(answer.at("known") == true);
    CHECK_FALSE(answer.contains("known_since"));
    shop.read();
    const auto day = cdp::format_day(cdp::day_of(shop.clock().now()));
    answer = shop.ask();
    CAPTURE(answer.dump());
    CHECK_FALSE(find(answer, "trait", "firstName"));
    CHECK_FALSE(find(answer, "identifier_type", "email"));
    REQUIRE(find(answer, "trait", "shoeSize"));
    CHECK(find(answer, "trait", "shoeSize")->at("never") == true);
    CHECK(find(answer, "trait", "shoeSize")->at("identifiers") == 1);
    CHECK(find(answer, "identifier_type", "user_id"));

    shop.clock().advance(31 * kDay);
    answer = shop.ask();
    const auto* name = find(answer, "trait", "firstName");
    REQUIRE(name);
    CHECK(name->at("never") == false);
    CHECK(name->at("last_read") == day);
    CHECK(name->at("last_channel") == "email_tool");
    CHECK_FALSE(find(shop.ask("31"), "trait", "firstName"));
    shop.read();
    CHECK_FALSE(find(shop.ask(), "trait", "firstName"));
}

TEST_CASE("a day is written once, however often somebody reads") {
    Shop shop;
    shop.read();
    const auto rows = shop.rows();
    CHECK(rows > 0);
    const auto days = [&] {
        std::set<std::int32_t> out;
        REQUIRE(cdp::each_last_read(*shop.store().snapshot(), shop.vault(),
                                    [&](const cdp::LastRead& one) {
                                        out.insert(one.day);
                                        return true;
                                    }));
        return out;
    };
    const auto first = days();
    CHECK(first.size() == 1);
    shop.read();
    CHECK(shop.rows() == rows);
    CHECK(days() == first);
    shop.clock().advance(kDay);
    shop.read();
    CHECK(shop.rows() == rows);
    CHECK(days() != first);
}

TEST_CASE("where days were not noted from the beginning the answer says since when") {
    Shop shop;
    shop.read();
    shop.forget_days();
    auto answer = shop.ask();
    CHECK(answer.at("known") == false);
    CHECK(answer.at("known_since") == cdp::format_day(cdp::day_of(shop.clock().now())));
    shop.clock().advance(kDay);
    shop.read();
    const auto since = cdp::format_day(cdp::day_of(shop.clock().now()));
    shop.clock().advance(10 * kDay);
    answer = shop.ask();
    CHECK(answer.at("known") == false);
    CHECK(answer.at("known_since") == since);
    CHECK(shop.ask("10").at("known") == true);
}

TEST_CASE("labels that no channel with a purpose is given are listed, on the first page") {
    Shop shop;
    const auto labels = shop.ask().at("labels_without_purpose");
    for (const auto* needed : {"name", "commerce", "contact.email"})
        CHECK(std::ranges::find(labels, needed) == labels.end());
    CHECK_FALSE(labels.empty());
    const auto first = shop.ask("30", {.limit = 1});
    REQUIRE(first.at("unused").size() == 1);
    std::set<std::string> names;
    for (auto cursor = json("");;) {
        const auto page = shop.ask("30", {.limit = 1, .cursor = cursor});
        for (const auto& one : page.at("unused")) names.insert(one.at("name"));
        cursor = page.at("next");
        if (cursor.is_null()) break;
        CHECK_FALSE(
            shop.ask("30", {.limit = 1, .cursor = cursor}).contains("labels_without_purpose"));
    }
    std::set<std::string> whole;
    const auto answer = shop.ask();
    for (const auto& one : answer.at("unused")) whole.insert(one.at("name"));
    CHECK(names == whole);
}

TEST_CASE("days that are none are refused") {
    Shop shop;
    for (const auto* days : {"0", "-1", "3651", "x", "7d", " 7", "99999999999"})
        CHECK(shop.ask(days).at("error") == "malformed_days");
    CHECK_FALSE(shop.ask("").contains("error"));
}
