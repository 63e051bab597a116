#include "cdp/platform.h"

#include <set>

#include "tests/cdp/world.h"

using tests::PlatformWorld;
using tests::withheld;

namespace {

const auto kCrm = PlatformWorld::source("crm", cdp::Trust::server);

std::string event(const std::string& rest, const std::string& id) {
    return R"({"messageId":")" + id + R"(",)" + rest + "}";
}

// A web visit, a login, an app purchase and a till purchase of one person.
void tell_story(PlatformWorld& world) {
    world.send_one(event(R"("type":"page","anonymousId":"web-1","name":"Home",
        "context":{"consent":{"categoryPreferences":{"Advertising":true,"Analytics":true}}})",
                         "m1"));
    world.send_one(event(R"("type":"identify","userId":"u1","anonymousId":"web-1",
        "traits":{"email":"One@Shop.example","firstName":"Person","plan":"gold","shoeSize":42},
        "context":{"consent":{"categoryPreferences":{"Advertising":true,"Analytics":true}}})",
                         "m2"));
    world.send_one(event(R"("type":"track","event":"Order Completed","userId":"u1",
        "properties":{"total":20},"context":{"device":{"id":"phone-1"}})",
                         "m3"),
                   PlatformWorld::source("app"));
    world.send_one(event(R"("type":"track","event":"Order Completed","properties":{"total":5},
        "context":{"externalIds":[
            {"id":"card-9","type":"loyalty_id","collection":"users"},
            {"id":"u1","type":"user_id","collection":"users"}]})",
                         "m4"),
                   kCrm);
}

}  // namespace

TEST_CASE("touchpoints of one person are one person") {
    PlatformWorld world;
    tell_story(world);
    const auto persons = world.exported(cdp::ExportKind::persons);
    REQUIRE(persons.size() == 1);
    std::set<std::string> types;
    for (const auto& identifier : persons[0].at("identifiers")) types.insert(identifier.at("type"));
    CHECK(types ==
          std::set<std::string>{"user_id", "email", "anonymous_id", "device_id", "loyalty_id"});
}

TEST_CASE(
    "each channel gets what consent and its registration allow, and a withdrawal shows at once") {
    PlatformWorld world;
    tell_story(world);
    auto email = world.profile("email_tool", "email", "one@shop.example", "email_marketing");
    CHECK(email.at("traits").empty());
    CHECK(withheld(email, "email") == "never_asked");
    CHECK(withheld(email, "shoeSize") == "unmapped");

    world.consent("email", "one@shop.example", "email_marketing", "granted");
    email = world.profile("email_tool", "anonymous_id", "web-1", "email_marketing");
    CHECK(email.at("traits").at("email").at("value") == "One@Shop.example");
    CHECK(email.at("traits").at("email").at("source") == "web");
    CHECK(email.at("traits").at("firstName").at("value") == "Person");
    CHECK(email.at("identifiers") ==
          nlohmann::json::parse(R"([{"type":"email","value":"one@shop.example"}])"));
    CHECK(withheld(email, "identifiers/user_id") == "label_not_allowed");

    auto ads = world.profile("ads_tool", "user_id", "u1", "advertising");
    CHECK(ads.at("person") == email.at("person"));
    // SHA-256 of one@shop.example
    CHECK(ads.at("traits").at("email").at("value") ==
          "410fa64ff48ddd0d876724d1b9f702009c565f006075299b1fc9817737de7e07");
    CHECK(ads.at("traits").at("plan").at("value") == "gold");
    CHECK(withheld(ads, "firstName") == "label_not_allowed");

    world.clock().advance(std::chrono::seconds{1});
    world.consent("email", "one@shop.example", "email_marketing", "withdrawn");
    email = world.profile("email_tool", "anonymous_id", "web-1", "email_marketing");
    CHECK(email.at("traits").empty());
    CHECK(email.at("identifiers").empty());
    CHECK(withheld(email, "email") == "withdrawn");

    world.clock().advance(std::chrono::seconds{1});
    world.consent("email", "one@shop.example", "email_marketing", "granted");
    email = world.profile("email_tool", "anonymous_id", "web-1", "email_marketing");
    CHECK(email.at("traits").at("email").at("value") == "One@Shop.example");
}

TEST_CASE(
    "the same messageId again is a duplicate whatever its body, per source, for thirty days") {
    PlatformWorld world;
    CHECK(world.send_one(event(R"("type":"track","event":"A","anonymousId":"a")", "m")) ==
          "accepted");
    CHECK(world.send_one(event(R"("type":"track","event":"B","userId":"b")", "m")) == "duplicate");
    CHECK(world.send_one(event(R"("type":"track","event":"A","anonymousId":"a")", "m"),
                         PlatformWorld::source("app")) == "accepted");
    world.clock().advance(std::chrono::days{29});
    world.restart();
    CHECK(world.send_one(event(R"("type":"track","event":"A","anonymousId":"a")", "m")) ==
          "duplicate");
    world.clock().advance(std::chrono::days{2});
    CHECK(world.send_one(event(R"("type":"track","event":"A","anonymousId":"a")", "m")) ==
          "accepted");
}

TEST_CASE("a batch answers for each event in order") {
    PlatformWorld world;
    const auto verdicts = world.send(R"({"batch":[
        {"type":"track","event":"A","anonymousId":"a","messageId":"1"},
        {"type":"track","event":"B","messageId":"2"},
        {"type":"track","event":"A","anonymousId":"a","messageId":"1"},
        {"type":"track","event":tru,"anonymousId":"a","messageId":"3"},
        {"type":"page","anonymousId":"b","messageId":"4"}]})");
    std::string kinds;
    for (const auto& verdict : verdicts) kinds += cdp::to_string(verdict.kind)[0];
    CHECK(kinds == "ardra");
    CHECK(verdicts[1].error.reason == "no_identifier");
    CHECK(verdicts[1].error.pointer == "/batch/1");
    CHECK(verdicts[3].error.reason == "invalid_json");
    CHECK(world.exported(cdp::ExportKind::events).size() == 2);
}

TEST_CASE("a batch larger than a transaction is stored whole and in order") {
    PlatformWorld world;
    std::string body = R"({"batch":[)";
    for (int i = 0; i < 300; ++i) {
        if (i > 0) body += ',';
        body +=
            event(R"("type":"identify","userId":"u","traits":{"n":)" + std::to_string(i) +
                      R"(},"timestamp":"2026-11-21T11:00:0)" + std::to_string(i / 100) + R"(Z")",
                  "m" + std::to_string(i));
    }
    const auto kinds = world.send(body + "]}");
    world.restart();
    CHECK(world.exported(cdp::ExportKind::events).size() == 300);
}

TEST_CASE("an exported event is the event as received with its person and time of receipt") {
    PlatformWorld world;
    world.send(R"({"type":"track", "event":"A", "anonymousId":"a",
                   "properties":{"big":12345678901234567890,"exact":1.10,"text":"é\u0001"}})");
    const auto lines = world.exported(cdp::ExportKind::events);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].at("properties").at("big").get<std::uint64_t>() == 12345678901234567890U);
    CHECK(lines[0].at("receivedAt") == "2026-11-21T12:00:00.000Z");
    CHECK(lines[0].at("messageId").get<std::string>().starts_with("cdp-"));
    CHECK(lines[0].at("person") == world.exported(cdp::ExportKind::persons)[0].at("person"));
}

TEST_CASE("a stamp repeated all day is one record") {
    PlatformWorld world;
    for (int i = 0; i < 50; ++i) {
        world.clock().advance(std::chrono::seconds{1});
        world.send_one(event(R"("type":"page","anonymousId":"a","context":{"consent":
            {"categoryPreferences":{"Advertising":true,"unheard of":true}}})",
                             "m" + std::to_string(i)));
    }
    CHECK(world.exported(cdp::ExportKind::consents).size() == 1);
}

TEST_CASE("the last stamp of a day counts, not the first of each kind") {
    PlatformWorld world;
    const auto say = [&](const char* preference, const char* id) {
        world.clock().advance(std::chrono::minutes{1});
        world.send_one(event(R"("type":"identify","userId":"u1","traits":{"plan":"gold"},
            "context":{"consent":{"categoryPreferences":{"Advertising":)" +
                                 std::string(preference) + "}}}",
                             id));
        return withheld(world.profile("ads_tool", "user_id", "u1", "advertising"), "plan");
    };
    CHECK(say("true", "1").empty());
    CHECK(say("false", "2") == "denied");
    CHECK(say("true", "3").empty());
    CHECK(say("false", "4") == "denied");
    CHECK(say("true", "5").empty());
}

TEST_CASE("what was collected under a denial is not released by a later grant") {
    PlatformWorld world;
    world.send_one(event(R"("type":"identify","userId":"u1","traits":{"plan":"gold"},
        "context":{"consent":{"categoryPreferences":{"Advertising":false}}})",
                         "1"));
    world.clock().advance(std::chrono::hours{30});
    world.send_one(event(R"("type":"track","event":"A","userId":"u1",
        "context":{"consent":{"categoryPreferences":{"Advertising":true}}})",
                         "2"));
    CHECK(withheld(world.profile("ads_tool", "user_id", "u1", "advertising"), "plan") ==
          "captured_under_denial");
}

TEST_CASE("RudderStack's consent ids are stamps too") {
    PlatformWorld world;
    world.send_one(event(R"("type":"identify","userId":"u1","traits":{"plan":"gold"},
        "context":{"consentManagement":{"allowedConsentIds":["Advertising"],"deniedConsentIds":[]}})",
                         "1"));
    CHECK(withheld(world.profile("ads_tool", "user_id", "u1", "advertising"), "plan").empty());
}

TEST_CASE("unknown is 404, known with nothing allowed is an answer") {
    PlatformWorld world;
    tell_story(world);
    CHECK(world.profile("ads_tool", "user_id", "nobody", "advertising").at("error") ==
          "person_unknown");
    CHECK(world.profile("ads_tool", "user_id", "u1", "espionage").at("error") == "purpose_unknown");
    CHECK(world.profile("fax_tool", "user_id", "u1", "advertising").at("error") ==
          "channel_unknown");
    CHECK(world.profile("ads_tool", "email", "not an address", "advertising").at("error") ==
          "malformed_identifier");
    const auto answer = world.profile("ads_tool", "user_id", "u1", "email_marketing");
    CHECK(answer.at("traits").empty());
    CHECK(withheld(answer, "plan") == "purpose_not_registered");
    const auto person = answer.at("person").get<std::string>();
    CHECK(world.profile("ads_tool", "person", person, "advertising").at("person") == person);
}

TEST_CASE("a timeline comes in pages, newest first, each event once") {
    PlatformWorld world;
    for (int i = 0; i < 25; ++i) {
        world.clock().advance(std::chrono::seconds{1});
        world.send_one(
            event(R"("type":"track","event":"Order Completed","userId":"u1","anonymousId":"a",
            "properties":{"total":)" +
                      std::to_string(i) + R"(,"email":"one@shop.example"},
            "context":{"consent":{"categoryPreferences":{"Advertising":true}}})",
                  std::to_string(i)));
    }
    std::vector<int> totals;
    cdp::TimelineQuery query{.purpose = "advertising", .limit = 10};
    while (true) {
        const auto page = world.timeline("ads_tool", "user_id", "u1", query);
        for (const auto& one : page.at("events")) {
            totals.push_back(one.at("properties").at("total").get<int>());
            CHECK(one.at("name") == "Order Completed");
            CHECK(one.at("properties").value("email", "").find('@') == std::string::npos);
        }
        if (page.at("next").is_null()) break;
        query.cursor = page.at("next");
    }
    REQUIRE(totals.size() == 25);
    for (int i = 0; i < 25; ++i) CHECK(totals[static_cast<std::size_t>(i)] == 24 - i);
    query.cursor = "nonsense";
    CHECK(world.timeline("ads_tool", "user_id", "u1", query).at("error") == "malformed_cursor");
}

TEST_CASE("an event of the largest size is stored, whatever its name") {
    PlatformWorld world;
    const std::string head = R"({"messageId":"m","userId":"u","type":"track","event":")";
    const std::string body = head + std::string(cdp::kEventBytesMax - head.size() - 2, 'n') + "\"}";
    REQUIRE(body.size() == cdp::kEventBytesMax);
    CHECK(world.send_one(body) == "accepted");
    CHECK(world.exported(cdp::ExportKind::events).at(0).at("event").get<std::string>().size() >
          32'000);
}

TEST_CASE("an alias to nobody is no alias") {
    PlatformWorld world;
    for (const char* user : {"u1", "u2"})
        world.send_one(event(
            R"("type":"alias","previousId":"undefined","userId":")" + std::string(user) + "\"",
            user));
    world.send_one(event(R"("type":"alias","previousId":" a1 ","userId":"u1")", "3"));
    world.send_one(event(R"("type":"page","anonymousId":"a1")", "4"));
    CHECK(world.exported(cdp::ExportKind::persons).size() == 2);
    CHECK(world.exported(cdp::ExportKind::links).size() == 2);  // u1 with both that "a1" may be
}

TEST_CASE("many new identifiers in many events of one person take moments") {
    PlatformWorld world;
    std::string body = R"({"batch":[)";
    for (int i = 0; i < 64; ++i) {
        if (i > 0) body += ',';
        body += R"({"type":"page","userId":"u","messageId":"m)" + std::to_string(i) +
                R"(","context":{"externalIds":[)";
        for (int k = 0; k < 20; ++k)
            body += (k > 0 ? "," : "") + std::string(R"({"type":"shop.badge","id":"b)") +
                    std::to_string(i * 20 + k) + R"("})";
        body += "]}}";
    }
    const auto start = std::chrono::steady_clock::now();
    world.send(body + "]}");
    world.restart();  // ends what was put off
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds{20});
    CHECK(world.exported(cdp::ExportKind::events).size() == 64);
}

TEST_CASE("an event must say whose it is, by more than an address or a device") {
    PlatformWorld world;
    for (const char* who :
         {R"("traits":{"email":"a@shop.example"})", R"("context":{"device":{"id":"d1"}})",
          R"("context":{"traits":{"phone":"+493012345678"}})"}) {
        const auto verdicts = world.send(event(R"("type":"identify",)" + std::string(who), "m"));
        CHECK(verdicts.at(0).error.reason == "no_identifier");
    }
    CHECK(
        world.send_one(event(
            R"("type":"identify","context":{"externalIds":[{"type":"email","id":"a@shop.example"}]})",
            "m")) == "accepted");
}

TEST_CASE("a RudderStack stamp whose denials cannot be read allows nothing") {
    for (const char* denied :
         {R"("advertising")", R"([["advertising"]])", R"({"advertising":true})", "[5]"}) {
        CAPTURE(denied);
        PlatformWorld world;
        world.send_one(event(R"("type":"identify","userId":"u1","traits":{"plan":"gold"},
            "context":{"consentManagement":{"allowedConsentIds":["advertising"],"deniedConsentIds":)" +
                                 std::string(denied) + "}}",
                             "1"));
        CHECK(withheld(world.profile("ads_tool", "user_id", "u1", "advertising"), "plan") ==
              "denied");
    }
}

TEST_CASE("a property is what its name says, and mapped nowhere it stays") {
    PlatformWorld world;
    world.send_one(event(R"("type":"track","event":"Order Completed","userId":"u1",
        "properties":{"total":20,"products":[{"name":"Blue shirt","sku":"s1"}],"health":"fine",
                      "latitude":52.5,"ip":"192.0.2.1","phone":"+493012345678"},
        "context":{"consent":{"categoryPreferences":{"Advertising":true}}})",
                         "1"));
    const auto page = world.timeline("ads_tool", "user_id", "u1", {.purpose = "advertising"});
    const auto& one = page.at("events").at(0);
    CHECK(one.at("properties").size() == 2);
    CHECK(one.at("properties").at("products").at(0).at("name") == "Blue shirt");
    for (const char* name : {"health", "latitude", "ip"}) CHECK(withheld(one, name) == "unmapped");
    CHECK(withheld(one, "phone") == "label_not_allowed");
}
