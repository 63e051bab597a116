#include <algorithm>
#include <string>
#include <vector>

#include "cdp/hash_kind.h"
#include "tests/cdp/counting_store.h"
#include "tests/cdp/reporting.h"
#include "tests/cdp/suppression_world.h"

// A suppressed address or number leaves under no name: not as another trait, in an order, as what
// something is called, nor as a hash.

namespace {

using namespace tests;
using nlohmann::json;
using Reason = consent::SuppressionReason;
using Scope = consent::SuppressionScope;

const std::string kAddress = "gift@shop.example";
const std::string kNumber = "+491701234567";

cdp::Config noting_config() {
    auto config = lawful_config();
    config.default_region = "DE";
    config.policy.traits["note"] = {"behaviour"};
    config.policy.identifier_types["user_id"] = {"behaviour"};
    return config;
}

std::string base64(const std::string& hex) {
    constexpr std::string_view kLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto bytes = *cdp::from_hex(hex);
    std::string out;
    unsigned held = 0;
    int bits = 0;
    for (const char c : bytes) {
        held = (held << 8) | static_cast<unsigned char>(c);
        for (bits += 8; bits >= 6; bits -= 6) out += kLetters[(held >> (bits - 6)) & 63U];
    }
    if (bits > 0) out += kLetters[(held << (6 - bits)) & 63U];
    return out + std::string((4 - out.size() % 4) % 4, '=');
}

std::string capitals(std::string text) {
    for (char& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
    return text;
}

std::vector<json> spellings_of_address() {
    using cdp::HashKind;
    const auto sha256 = hash_of(HashKind::sha256, kAddress);
    return {kAddress,
            " Gift@Shop.Example ",
            "mailto:gift@shop.example",
            "gift\uff20shop.example",
            "Gift <gift@shop.example>, at home.",
            "write to gift@shop.example.",
            "https://shop.example/?to=gift%40shop.example&x=1",
            "a@shop.example;gift@shop.example",
            "gift@shop.example로 보내주세요",
            "이메일：gift@shop.example입니다",
            "“gift@shop.example”",
            "gift\u200b@shop.example",
            "gift%2540shop.example",
            "gift%40shop%2eexample",
            sha256 + "입니다",
            sha256,
            capitals(sha256),
            base64(sha256),
            "em=" + sha256,
            hash_of(HashKind::sha256, sha256),
            hash_of(HashKind::sha1, kAddress),
            hash_of(HashKind::md5, kAddress),
            json{"x", kAddress},
            json{{"x", {{"y", {1, nullptr, {kAddress}}}}}},
            json{{kAddress, true}}};
}

std::vector<json> spellings_of_number() {
    return {kNumber,
            "tel:+49 170 1234567",
            "0170/123 45 67",
            "(0170) 1234567",
            491701234567,
            491701234567.0,
            "491701234567.0",
            json{{"x", {"+49-170-1234567"}}},
            hash_of(cdp::HashKind::sha256, kNumber),
            hash_of(cdp::HashKind::sha256, "491701234567")};
}

struct Shop : PlatformWorld {
    explicit Shop(cdp::Config config = noting_config(),
                  std::unique_ptr<storage::Store> store = storage::make_memory_store())
        : PlatformWorld(std::move(config), std::move(store)) {}

    void note(const json& value, const std::string& user = "u1") {
        const auto till = source("till", cdp::Trust::server);
        const json identify{{"type", "identify"},
                            {"userId", user},
                            {"traits", {{"note", value}, {"plan", "gold"}}}};
        const json order{{"type", "track"},
                         {"event", "Order Completed"},
                         {"userId", user},
                         {"properties", {{"note", value}, {"revenue", 7}}}};
        for (const auto& event : {identify, order}) {
            clock().advance(std::chrono::seconds(1));
            send_one(event.dump(), till);
        }
    }
    json traits(const std::string& user = "u1") {
        return profile("desk", "user_id", user, "service");
    }
    json orders(const std::string& user = "u1") {
        return timeline("desk", "user_id", user, {.purpose = "service"});
    }
};

}  // namespace

TEST_CASE("what is a suppressed contact leaves under no name and in no spelling", "[suppression]") {
    const bool number = GENERATE(false, true);
    const bool of_own = GENERATE(false, true);
    for (const auto& value : number ? spellings_of_number() : spellings_of_address()) {
        CAPTURE(value.dump());
        Shop world;
        const std::string type = number ? "phone" : "email";
        if (of_own)
            world.send_one(json{{"type", "identify"},
                                {"userId", "u1"},
                                {"traits", {{type, number ? kNumber : kAddress}}}}
                               .dump(),
                           PlatformWorld::source("till", cdp::Trust::server));
        world.note(value);
        CHECK(world.traits()["traits"]["note"]["value"] == value);
        CHECK(world.orders()["events"][0]["properties"]["note"] == value);

        const auto made = suppress(world, type, number ? kNumber : kAddress, Reason::bounced);
        const auto traits = world.traits();
        const auto orders = world.orders();
        CAPTURE(traits.dump(1), orders.dump(1));
        CHECK(withheld(traits, "note") == "suppressed");
        CHECK(traits["traits"]["plan"]["value"] == "gold");
        CHECK_FALSE(traits["traits"].contains("note"));
        CHECK(withheld(orders["events"][0], "note") == "suppressed");
        CHECK(orders["events"][0]["properties"] == json{{"revenue", 7}});

        REQUIRE(lift(world, made["id"])["status"] == "revoked");
        CHECK(world.traits()["traits"]["note"]["value"] == value);
        CHECK(world.orders()["events"][0]["properties"]["note"] == value);
    }
}

TEST_CASE("an answer in a cache ends with the first number that is suppressed", "[suppression]") {
    Shop world;
    const bool by_hash = GENERATE(false, true);
    suppress(world, "email", kAddress, Reason::bounced);
    world.note(kNumber);
    for (int reads = 0; reads < 2; ++reads)
        CHECK(world.traits()["traits"]["note"]["value"] == kNumber);
    if (by_hash)
        suppress(world, "phone_sha256", cdp::hash_of(cdp::HashKind::sha256, kNumber),
                 Reason::bounced);
    else
        suppress(world, "phone", kNumber, Reason::bounced);
    CHECK(withheld(world.traits(), "note") == "suppressed");
    world.restart(noting_config());
    CHECK(withheld(world.traits(), "note") == "suppressed");
}

TEST_CASE("what is no suppressed contact leaves as before", "[suppression]") {
    Shop world;
    suppress(world, "email", kAddress, Reason::bounced);
    suppress(world, "phone", kNumber, Reason::bounced);
    for (const auto& value : std::vector<json>{
             "other@shop.example", "@gift", "gift@shop", "xgift@shop.example", "2026-11-22",
             "2026-11-22T12:00:00Z", "0170 1234568", 4917012345678,
             "7d4f9a1e-0000-4000-8000-491701234567", cdp::hash_of(cdp::HashKind::sha256, "gift"),
             json{{"x", {"other@shop.example", 7, nullptr}}}}) {
        CAPTURE(value.dump());
        const auto user = "u" + value.dump();
        world.note(value, user);
        CHECK(world.traits(user)["traits"]["note"]["value"] == value);
        CHECK(world.orders(user)["events"][0]["properties"]["note"] == value);
    }
}

TEST_CASE("a suppressed person's address leaves in nobody's traits either", "[suppression]") {
    Shop world;
    world.send_one(R"({"type":"identify","userId":"u2","traits":{"email":"gift@shop.example"}})",
                   PlatformWorld::source("till", cdp::Trust::server));
    world.note(kAddress);
    suppress(world, "email", kAddress, Reason::deceased);
    CHECK(withheld(world.traits(), "note") == "suppressed");
    CHECK(world.traits()["traits"]["plan"]["value"] == "gold");
}

TEST_CASE("the address of who was split off and is suppressed since leaves in nobody's traits",
          "[suppression]") {
    Shop world;
    world.send_one(json{{"type", "identify"},
                        {"userId", "u1"},
                        {"traits", {{"email", kAddress}, {"note", kAddress}, {"plan", "gold"}}}}
                       .dump(),
                   PlatformWorld::source("till", cdp::Trust::server));
    const auto said =
        tests::say(world, tests::request("cannot_link", {{"user_id", "u1"}, {"email", kAddress}}));
    REQUIRE(said.contains("id"));
    CHECK(world.traits()["traits"]["email"]["value"] == kAddress);
    world.clock().advance(std::chrono::minutes(1));
    suppress(world, "email", kAddress, Reason::deceased);
    const auto left = world.traits();
    CHECK(left.dump().find(kAddress) == std::string::npos);
    CHECK(left["traits"]["plan"]["value"] == "gold");
}

TEST_CASE("an identifier, an event and a name that are called like a suppressed address stay",
          "[suppression]") {
    Shop world;
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    const json identify{{"type", "identify"},
                        {"userId", kAddress},
                        {"anonymousId", "c1"},
                        {"traits", {{kAddress, true}, {"plan", "gold"}}}};
    const json order{{"type", "track"},
                     {"event", "Order Completed"},
                     {"userId", kAddress},
                     {"properties", {{kAddress, true}, {"revenue", 7}}}};
    const json page{{"type", "page"}, {"name", kAddress}, {"userId", kAddress}};
    for (const auto& event : {identify, order, page}) world.send_one(event.dump(), till);
    const auto seen = [&] {
        return world.profile("desk", "anonymous_id", "c1", "service").dump() +
               world.timeline("desk", "anonymous_id", "c1", {.purpose = "service"}).dump();
    };
    CHECK(seen().find(kAddress) != std::string::npos);
    suppress(world, "email", kAddress, Reason::bounced);
    const auto left = seen();
    CAPTURE(left);
    CHECK(left.find(kAddress) == std::string::npos);
    CHECK(left.find("gold") != std::string::npos);
    CHECK(left.find("Order Completed") != std::string::npos);
    CHECK(left.find("revenue") != std::string::npos);
}

TEST_CASE(
    "an address whose hash was suppressed leaves in no order, before and after anybody has it",
    "[suppression]") {
    Shop world;
    const auto till = PlatformWorld::source("till", cdp::Trust::server);
    const auto hash = cdp::hash_of(cdp::HashKind::sha256, kAddress);
    world.note(kAddress);
    world.send_one(json{{"type", "track"},
                        {"event", "Order Completed"},
                        {"userId", "u1"},
                        {"properties", {{"email", kAddress}}}}
                       .dump(),
                   till);
    const auto left = [&] { return world.traits().dump() + world.orders().dump(); };
    CHECK(left().find(kAddress) != std::string::npos);
    const auto made = suppress(world, "email_sha256", hash, Reason::bounced);
    CHECK(left().find(kAddress) == std::string::npos);
    world.send_one(
        json{{"type", "identify"}, {"userId", "u2"}, {"traits", {{"email", kAddress}}}}.dump(),
        till);
    CHECK(left().find(kAddress) == std::string::npos);
    REQUIRE(lift(world, made["id"])["status"] == "revoked");
    CHECK(left().find(kAddress) != std::string::npos);
}

TEST_CASE("what the report tells somebody of channels counts whom a trait names", "[suppression]") {
    Shop world;
    world.note(kAddress);
    suppress(world, "email", kAddress, Reason::bounced);
    const auto told = tests::report(world, "user_id", "u1");
    REQUIRE(told["traits"].size() == 2);
    for (const auto& trait : told["traits"])
        for (const auto& channel : trait["channels"]) {
            CAPTURE(trait.dump(1));
            if (channel["channel"] == "desk" && channel["purpose"] == "service")
                CHECK(channel["may_have_it"] == (trait["name"] == "plan"));
        }
}

TEST_CASE("who names nobody that is suppressed is read as cheaply as before", "[suppression]") {
    auto store = std::make_unique<CountingStore>(storage::make_memory_store());
    auto& counted = *store;
    Shop world(noting_config(), std::move(store));
    for (const auto& value : {spellings_of_address(), spellings_of_number()})
        for (const auto& one : value) world.note(one);
    const auto cost = [&] {
        world.orders();
        const auto before = counted.reads();
        world.orders();
        return counted.reads() - before;
    };
    const auto nobody = cost();
    suppress(world, "email", "else@shop.example", Reason::bounced);
    CHECK(cost() == nobody);
}
