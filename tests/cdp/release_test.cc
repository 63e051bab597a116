#include <map>

#include "storage/key.h"
#include "tests/cdp/parsing.h"
#include "tests/cdp/world.h"
#include "tests/support/forwarding_store.h"

using tests::PlatformWorld;
using tests::withheld;

// What may leave through profiles, timelines and exports.
namespace {

const auto kCrm = PlatformWorld::source("crm", cdp::Trust::server);
const std::string kGranted =
    R"("context":{"consent":{"categoryPreferences":{"Advertising":true}}})";

// Registered for everything that may be in an order, raw.
cdp::Config open_config() {
    cdp::Config config;
    config.policy.channels[1].labels = {{"contact.email", consent::Transform::raw},
                                        {"contact.phone", consent::Transform::raw},
                                        {"commerce", consent::Transform::raw},
                                        {"behaviour", consent::Transform::raw},
                                        {"work", consent::Transform::raw}};
    return config;
}

std::string track(const std::string& properties, const std::string& rest = kGranted) {
    return R"({"type":"track","event":"Order Completed","userId":"u1","properties":{)" +
           properties + "}," + rest + "}";
}

nlohmann::json first_event(PlatformWorld& world) {
    const auto page = world.timeline("ads_tool", "user_id", "u1", {.purpose = "advertising"});
    CAPTURE(page.dump());
    REQUIRE(page.at("events").size() == 1);
    return page.at("events")[0];
}

nlohmann::json ads_profile(PlatformWorld& world) {
    return world.profile("ads_tool", "user_id", "u1", "advertising");
}

// Counts what is scanned.
class ScanCountingStore final : public tests::ForwardingStore {
public:
    explicit ScanCountingStore(std::map<std::string, int>& scans) : scans_(scans) {}

    std::unique_ptr<storage::Snapshot> snapshot() const override {
        return std::make_unique<Counting>(ForwardingStore::snapshot(), scans_);
    }

private:
    class Counting final : public tests::ForwardingSnapshot {
    public:
        Counting(std::unique_ptr<storage::Snapshot> snapshot, std::map<std::string, int>& scans)
            : ForwardingSnapshot(std::move(snapshot)), scans_(scans) {}

        cdp::Result<void> scan(std::string_view prefix, std::string_view from,
                               const storage::Visit& visit) const override {
            ++scans_[std::string(from)];
            return ForwardingSnapshot::scan(prefix, from, visit);
        }

    private:
        std::map<std::string, int>& scans_;
    };

    std::map<std::string, int>& scans_;
};

}  // namespace

TEST_CASE("contact data inside a property does not leave under the label of its event") {
    const auto* value = GENERATE(R"({"email":"hidden@shop.example"})",
                                 R"([{"a":[{"email":"hidden@shop.example"}]}])",
                                 R"({"e\u006dail":["hidden@shop.example"]})",
                                 R"({"phone":{"mobile":"hidden@shop.example"}})");
    for (const auto& config : {cdp::Config{}, open_config()}) {
        PlatformWorld world(config);
        world.send_one(track(R"("total":5,"discount":)" + std::string(value)));
        const auto event = first_event(world);
        CAPTURE(event.dump());
        CHECK(event.at("properties") == nlohmann::json::parse(R"({"total":5})"));
        CHECK_FALSE(withheld(event, "discount").empty());
    }
}

TEST_CASE("a property has the labels of the traits that its members name") {
    PlatformWorld world;
    world.send_one(
        track(R"("discount":{"firstName":"Person"},"products":[{"sku":"1","plan":"gold"}])"));
    const auto event = first_event(world);
    CHECK(withheld(event, "discount") == "label_not_allowed");
    CHECK(event.at("properties") ==
          nlohmann::json::parse(R"({"products":[{"sku":"1","plan":"gold"}]})"));
}

TEST_CASE("contact data inside a trait does not leave under the trait's label") {
    PlatformWorld world(open_config());
    world.send_one(R"({"type":"identify","userId":"u1","traits":{
        "company":{"contacts":[{"email":"hidden@shop.example"}]},
        "industry":{"kind":"shoes"},"unheard":{"plan":"gold"}},)" +
                   kGranted + "}");
    const auto profile = ads_profile(world);
    CHECK(withheld(profile, "company") == "unparsable");
    CHECK(withheld(profile, "unheard") == "unmapped");
    CHECK(profile.at("traits").contains("industry"));
}

TEST_CASE("a contact that cannot be told is withheld") {
    PlatformWorld world(open_config());
    const std::string contacts =
        R"("phone":"030 123456","email":["hidden@shop.example","b@shop.example"])";
    world.send_one(R"({"type":"identify","userId":"u1","traits":{"plan":"gold",)" + contacts +
                   "}," + kGranted + "}");
    const auto profile = ads_profile(world);
    CAPTURE(profile.dump());
    CHECK(profile.at("traits").size() == 1);
    CHECK(withheld(profile, "phone") == "unparsable");
    CHECK(withheld(profile, "email") == "unparsable");

    PlatformWorld other(open_config());
    other.send_one(track(R"("total":5,)" + contacts));
    const auto event = first_event(other);
    CHECK(event.at("properties").size() == 1);
    CHECK(withheld(event, "phone") == "unparsable");
    CHECK(withheld(event, "email") == "unparsable");
}

TEST_CASE("a trait with a contact's label is that contact, whatever its name") {
    auto config = open_config();
    config.policy.traits["workEmail"] = {"contact.email"};
    PlatformWorld world(std::move(config));
    const auto say = [&](const std::string& value) {
        world.clock().advance(std::chrono::minutes{1});
        world.send_one(R"({"type":"identify","userId":"u1","traits":{"workEmail":")" + value +
                       R"("},)" + kGranted + "}");
    };
    say("call me");
    CHECK(withheld(ads_profile(world), "workEmail") == "unparsable");
    say("work@shop.example");
    CHECK(ads_profile(world).at("traits").contains("workEmail"));
    world.consent("email", "work@shop.example", "advertising", "withdrawn");
    CHECK(withheld(ads_profile(world), "workEmail") == "withdrawn");
}

TEST_CASE("a contact sent as a number is one") {
    PlatformWorld world(open_config());
    world.send_one(R"({"type":"identify","userId":"u1","traits":{"phone":493012345678},)" +
                   kGranted + "}");
    CHECK(withheld(ads_profile(world), "phone") == "unparsable");

    auto config = open_config();
    config.default_region = "DE";
    PlatformWorld german(std::move(config));
    german.send_one(R"({"type":"identify","userId":"u1","traits":{"phone":3012345678},)" +
                    kGranted + "}");
    CHECK(ads_profile(german).at("traits").contains("phone"));
}

TEST_CASE("a phone number is of the region of the source that sent it") {
    auto config = open_config();
    config.default_region = "US";
    config.source_regions["web"] = "DE";
    PlatformWorld world(std::move(config));
    world.send_one(R"({"type":"identify","userId":"u1","traits":{"phone":"030 12345678"},)" +
                   kGranted + "}");
    CHECK(ads_profile(world).at("traits").contains("phone"));
    world.consent("phone", "+493012345678", "advertising", "withdrawn");
    CHECK(withheld(ads_profile(world), "phone") == "withdrawn");
}

TEST_CASE("a page does not take the labels of a track event by its name") {
    PlatformWorld world;
    const auto type = GENERATE(as<std::string>{}, "page", "screen");
    world.send_one(R"({"type":")" + type + R"(","name":"Order Completed","userId":"u1",)" +
                   kGranted + "}");
    const auto page = world.timeline("ads_tool", "user_id", "u1", {.purpose = "advertising"});
    CHECK(page.at("events").empty());
    CHECK(withheld(page, "event") == "label_not_allowed");
}

TEST_CASE("a cursor says nothing of the events it stands for, and is its channel's alone") {
    auto config = open_config();
    config.policy.channels[0].purposes.push_back("advertising");
    PlatformWorld world(std::move(config));
    std::string ids;
    for (int i = 0; i < 3; ++i) {
        world.clock().advance(std::chrono::seconds{1});
        world.send_one(track(R"("total":5)"));
    }
    const auto whole = world.timeline("ads_tool", "user_id", "u1", {.purpose = "advertising"});
    for (const auto& event : whole.at("events")) ids += event.at("id").get<std::string>() + " ";
    cdp::TimelineQuery query{.purpose = "advertising", .limit = 1};
    std::string read;
    do {
        const auto page = world.timeline("ads_tool", "user_id", "u1", query);
        REQUIRE(page.at("events").size() == 1);
        const auto id = page.at("events")[0].at("id").get<std::string>();
        read += id + " ";
        query.cursor = page.at("next").is_null() ? "" : page.at("next").get<std::string>();
        CHECK(query.cursor.find(id) == std::string::npos);
        if (query.cursor.empty()) break;
        CHECK(world.timeline("email_tool", "user_id", "u1", query).value("error", "") ==
              "malformed_cursor");
        auto changed = query;
        changed.cursor.back() = changed.cursor.back() == '0' ? '1' : '0';
        CHECK(world.timeline("ads_tool", "user_id", "u1", changed).value("error", "") ==
              "malformed_cursor");
    } while (read.size() < 1000);
    CHECK(read == ids);
}

TEST_CASE("an event that holds a batch of its own is read again like others") {
    PlatformWorld world;
    const auto say = [&](const char* preference) {
        world.clock().advance(std::chrono::minutes{1});
        world.send(R"({"batch":[{"type":"identify","userId":"u1","traits":{"plan":"gold"},
            "batch":[{"type":"page","userId":"u2"}],
            "context":{"consent":{"categoryPreferences":{"Advertising":)" +
                   std::string(preference) + "}}}}]}");
        return withheld(ads_profile(world), "plan");
    };
    CHECK(say("true").empty());
    CHECK(say("false") == "denied");
    CHECK(say("true").empty());
}

TEST_CASE("a stored event reads as it did when it was sent alone") {
    const std::string raw = R"({"userId":"u1","event":"A","batch":[],"type":"page"})";
    const auto event = cdp::parse_event(raw, cdp::EventType::track, tests::context());
    REQUIRE(event);
    CHECK(event->type == cdp::EventType::track);
    CHECK(event->name == "A");
    CHECK(event->raw == raw);
    for (const auto* broken : {"", "{", "[]", R"({"userId":"u1"} x)", R"({"userId":tru})"})
        CHECK_FALSE(cdp::parse_event(broken, cdp::EventType::page, tests::context()));
}

TEST_CASE("a day on which several purposes are contested is read once") {
    std::map<std::string, int> scans;
    PlatformWorld world({}, std::make_unique<ScanCountingStore>(scans));
    for (int day = 0; day < 2; ++day) {
        for (const std::string answer : {"true", "false", "true"}) {
            world.clock().advance(std::chrono::minutes{1});
            world.send_one(R"({"type":"identify","userId":"u1","context":{"consent":
                {"categoryPreferences":{"Advertising":)" +
                           answer + R"(,"Analytics":)" + answer + "}}}}");
        }
        world.clock().advance(std::chrono::hours{24});
    }
    scans.clear();
    ads_profile(world);
    int days = 0;
    for (const auto& [from, times] : scans) {
        if (from.size() < 3 || from[2] != static_cast<char>(storage::Space::pointer)) continue;
        ++days;
        CHECK(times == 1);
    }
    CHECK(days == 2);
}

TEST_CASE("an exported event has each member once and no key") {
    PlatformWorld world;
    world.send_one(R"({"type":"track","event":"A","userId":"u1","writeKey":"secret",
        "receivedAt":"1999","p\u0065rson":"y","properties":{"person":"kept"}})");
    std::string line;
    REQUIRE(world.platform().export_lines(world.officer(), cdp::ExportKind::events, [&](auto text) {
        line = text;
        return true;
    }));
    const auto times = [&](const std::string& what) {
        int n = 0;
        for (auto at = line.find(what); at != std::string::npos; at = line.find(what, at + 1)) ++n;
        return n;
    };
    CAPTURE(line);
    CHECK(times("secret") == 0);
    CHECK(times("\"receivedAt\"") == 1);
    CHECK(times("\"y\"") == 0);
    const auto event = nlohmann::json::parse(line);
    CHECK(event.at("receivedAt") == "2026-11-21T12:00:00.000Z");
    CHECK(event.at("person").get<std::string>().size() == 32);
    CHECK(event.at("properties").at("person") == "kept");
}
