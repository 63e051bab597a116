#include <nlohmann/json.hpp>

#include "tests/cdp/parsing.h"
#include "tests/support/data.h"

using namespace cdp;
using namespace tests;

TEST_CASE("every type of event is read") {
    const auto track = event_of(
        R"({"type":"track","event":"Order Placed","userId":"u1","messageId":"m1","properties":{"total":1.10}})");
    CHECK(track.type == EventType::track);
    CHECK(track.name == "Order Placed");
    CHECK(track.message_id == "m1");
    CHECK(event_of(R"({"type":"page","name":"Home","anonymousId":"a1"})").name == "Home");
    CHECK(event_of(R"({"type":"screen","anonymousId":"a1"})").name.empty());
    CHECK(event_of(R"({"type":"group","groupId":"g1","userId":"u1"})").group_id == "g1");
    CHECK(event_of(R"({"type":"group","groupId":42,"userId":"u1"})").group_id == "42");
    CHECK(event_of(R"({"type":"identify","userId":"u1"})").type == EventType::identify);
    for (const auto type : {EventType::identify, EventType::track, EventType::page,
                            EventType::screen, EventType::group, EventType::alias})
        CHECK(parse_event_type(to_string(type)) == type);
    CHECK_FALSE(parse_event_type("Track"));
}

TEST_CASE("an alias hands over the previous id raw, and none when it names itself") {
    const auto alias = event_of(R"({"type":"alias","userId":"u1","previousId":"a1"})");
    CHECK(alias.previous_id == "a1");
    CHECK(identifiers_of(alias) == "account user_id u1");
    CHECK_FALSE(event_of(R"({"type":"alias","userId":"u1","previousId":" u1"})").previous_id);
}

TEST_CASE("an event that lacks what its type needs is refused at that place") {
    struct Row {
        const char* body;
        const char* refusal;
    };
    const Row rows[] = {
        {R"({"type":"track","userId":"u1"})", "invalid_event /event"},
        {R"({"type":"track","userId":"u1","event":7})", "invalid_event /event"},
        {R"({"type":"track","userId":"u1","event":""})", "accepted"},
        {R"({"type":"group","userId":"u1"})", "invalid_event /groupId"},
        {R"({"type":"group","userId":"u1","groupId":""})", "invalid_event /groupId"},
        {R"({"type":"alias","userId":"u1"})", "invalid_event /previousId"},
        {R"({"type":"alias","anonymousId":"a1","previousId":"a0"})", "invalid_event /userId"},
        {R"({"type":"alias","userId":"null","previousId":"a0"})", "no_identifier "},
        {R"({"type":"identify"})", "no_identifier "},
        {R"({"type":"identify","userId":null,"anonymousId":""})", "no_identifier "},
        {R"({"type":"identify","userId":"undefined"})", "no_identifier "},
        {R"({"type":"Identify","userId":"u1"})", "invalid_type /type"},
        {R"({"type":7,"userId":"u1"})", "invalid_type /type"},
        {R"({"type":"identify","userId":"u1","messageId":{}})", "invalid_event /messageId"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.body);
        CHECK(refusal_of(row.body) == row.refusal);
    }
    const auto refused = parsed(R"({"type":"track","userId":"u1","messageId":"m9"})");
    CHECK(refused.refused_ids[0] == "m9");
}

TEST_CASE("a message id is as sent, or made") {
    const auto id = [](const std::string& json) {
        return event_of(R"({"type":"identify","userId":"u1","messageId":)" + json + "}").message_id;
    };
    CHECK(id(R"("m\u00e9")") == "mé");
    CHECK(id("1234567890123") == "1234567890123");
    CHECK(id("null") == "made");
    CHECK(id(R"("")") == "made");
    CHECK(id("\"" + std::string(256, 'm') + "\"").size() == 256);
    CHECK(refusal_of(R"({"type":"identify","userId":"u1","messageId":")" + std::string(257, 'm') +
                     "\"}") == "invalid_event /messageId");
    CHECK(event_of(R"({"type":"identify","userId":"u1"})").message_id == "made");
}

TEST_CASE("traits are kept as they were written") {
    CHECK(traits_of(event_of(
              R"({"type":"identify","userId":"u1","traits":{"age": 1.10, "big":12345678901234567890,
                  "e":1E2, "a b" : [ 1 , {"x" : null} ], "gone":null, "\u00e9":"\u00e9 \" "}})")) ==
          R"(age=1.10 big=12345678901234567890 e=1E2 a b=[1,{"x":null}] gone=null é="\u00e9 \" ")");
}

TEST_CASE("traits come from the person's places only, the event's own first") {
    CHECK(traits_of(event_of(R"({"type":"identify","userId":"u1","traits":{"a":1,"b":2},
                                 "context":{"traits":{"b":3,"c":4}}})")) == "a=1 b=2 c=4");
    CHECK(traits_of(event_of(
              R"({"type":"identify","userId":"u1","context":{"traits":{"c":4}}})")) == "c=4");
    CHECK(traits_of(event_of(R"({"type":"track","event":"E","userId":"u1","traits":{"a":1},
                                 "context":{"traits":{"c":4}}})")) == "c=4");
    CHECK(traits_of(event_of(R"({"type":"group","groupId":"g","userId":"u1","traits":{"a":1},
                                 "context":{"traits":{"c":4}}})")) == "c=4");
    CHECK(warnings_of(event_of(R"({"type":"identify","userId":"u1","traits":[1]})")) ==
          "invalid_traits");
    CHECK(warnings_of(event_of(R"({"type":"identify","userId":"u1","traits":null})")).empty());
}

TEST_CASE("consent stamps are read, and what is no clear yes is a no") {
    struct Row {
        const char* context;
        const char* preferences;
        const char* warnings;
    };
    const Row rows[] = {
        {R"({"consent":{"categoryPreferences":{"Advertising":false,"Analytics":true}}})",
         "-Advertising +Analytics", ""},
        {R"({"consent":{"categoryPreferences":{"a":"true","b":1,"c":null,"d":true}}})",
         "-a -b -c +d", "invalid_preference"},
        {R"({"consentManagement":{"allowedConsentIds":["x","y"],"deniedConsentIds":["y","z"],"provider":"custom"}})",
         "+x -y -z", ""},
        {R"({"consentManagement":{"deniedConsentIds":["z"]}})", "-z", ""},
        {R"({"consentManagement":{"allowedConsentIds":["x",7],"deniedConsentIds":null}})", "+x",
         "invalid_preference"},
        {R"({"consent":{"categoryPreferences":{"x":true}},"consentManagement":{"deniedConsentIds":["x"]}})",
         "-x", ""},
        {R"({"consent":{"categoryPreferences":["x"]}})", "", "invalid_preference"},
        {R"({"consent":true,"consentManagement":[]})", "", "invalid_preference"},
        {R"({"consent":{},"consentManagement":null})", "", ""},
        {R"({"consent":{"categoryPreferences":{"":true}}})", "", "invalid_preference"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.context);
        const auto event = event_of(R"({"type":"identify","userId":"u1","context":)" +
                                    std::string(row.context) + "}");
        CHECK(preferences_of(event) == row.preferences);
        CHECK(warnings_of(event) == row.warnings);
    }
}

TEST_CASE("of too many preferences the denials stay") {
    std::string map;
    for (int i = 100; i < 200; ++i)
        map += "\"c" + std::to_string(i) + "\":" + (i % 2 ? "false," : "true,");
    map.pop_back();
    const auto event = event_of(
        R"({"type":"identify","userId":"u1","context":{"consent":{"categoryPreferences":{)" + map +
        "}}}}");
    REQUIRE(event.preferences.size() == kPreferencesMax);
    CHECK(std::count_if(event.preferences.begin(), event.preferences.end(),
                        [](const Preference& preference) { return !preference.granted; }) == 50);
    CHECK(warnings_of(event) == "too_many_preferences");
}

TEST_CASE("payloads from Segment's documentation are read") {
    const auto path = data("segment-spec/payloads.ndjson");
    if (!path) return;
    int events = 0;
    for (const auto& line : read_lines(*path)) {
        const auto payload = nlohmann::json::parse(line)["json"];
        if (!payload.is_object() || !payload.contains("type")) continue;
        const auto type = payload["type"].is_string()
                              ? parse_event_type(std::string(payload["type"]))
                              : std::nullopt;
        if (!type) continue;
        const auto body = payload.dump();
        CAPTURE(body);
        const auto batch = parsed(body);
        const bool named = payload.contains("userId") || payload.contains("anonymousId");
        REQUIRE(batch.events.size() == 1);
        if (!named) {
            CHECK_FALSE(batch.events[0]);
            continue;
        }
        if (!batch.events[0])
            FAIL(batch.events[0].error().reason + batch.events[0].error().pointer);
        CHECK(batch.events[0]->raw == body);
        ++events;
    }
    CHECK(events > 30);
}

TEST_CASE("calls from Segment's documentation are read as the SDK would send them") {
    const auto path = data("segment-spec/js_calls.ndjson");
    if (!path) return;
    int events = 0;
    for (const auto& line : read_lines(*path)) {
        const auto call = nlohmann::json::parse(line);
        const std::string type = call["call"];
        nlohmann::json event = {{"type", type}, {"anonymousId", "a1"}};
        for (const auto& argument : call["args"]) {
            const char* object = type == "identify" || type == "group" ? "traits" : "properties";
            if (argument.is_object())
                event[object] = argument;
            else if (type == "track" || type == "page" || type == "screen")
                event[type == "track" ? "event" : "name"] = argument;
            else
                event[type == "group" ? "groupId" : "userId"] = argument;
        }
        const char* needed = type == "track"   ? "event"
                             : type == "group" ? "groupId"
                                               : "anonymousId";
        if (type == "alias") needed = "userId";
        if (!event.contains(needed) || !event[needed].is_string()) continue;
        if (type == "alias") event["previousId"] = "a1";
        CAPTURE(event.dump());
        CHECK(refusal_of(event.dump()) == "accepted");
        ++events;
    }
    CHECK(events > 100);
}

TEST_CASE("naughty strings come back byte for byte") {
    const auto path = data("blns/blns.json");
    if (!path) return;
    const auto strings = nlohmann::json::parse(read_file(*path));
    CHECK(strings.size() > 400);
    for (const auto& text : strings) {
        const nlohmann::json event = {
            {"type", "identify"}, {"userId", "u1"}, {"traits", {{"x", text}, {text, 1}}}};
        const auto body = event.dump();
        CAPTURE(body);
        const auto read = event_of(body);
        CHECK(read.raw == body);
        for (const auto& trait : read.traits)
            if (trait.name == "x" && text != "x") CHECK(nlohmann::json::parse(trait.json) == text);
    }
}
