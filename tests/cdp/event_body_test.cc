#include <nlohmann/json.hpp>

#include "cdp/event_parts.h"
#include "tests/cdp/parsing.h"
#include "tests/support/data.h"

using namespace cdp;
using namespace tests;

namespace {

const std::string kGood = R"({"type":"identify","userId":"u1"})";

std::string batch_of(const std::string& events) {
    return R"({"batch":[)" + events + R"(],"writeKey":"k1","sentAt":"2026-11-21T18:24:49Z"})";
}

// "reason pointer" of a body that is refused as a whole.
std::string body_refusal(std::string_view body) {
    const auto batch = parse_body(body, std::nullopt, context());
    return batch ? "accepted" : batch.error().reason + " " + batch.error().pointer;
}

}  // namespace

TEST_CASE("a batch is read in order, with its write key") {
    const auto batch = parsed(batch_of(R"( {"type":"track","event":"A","userId":"u1"} ,
        {"type":"page","name":"B","userId":"u2"})"));
    CHECK_FALSE(batch.single);
    CHECK(batch.write_key == "k1");
    REQUIRE(batch.events.size() == 2);
    CHECK(batch.events[0]->name == "A");
    CHECK(batch.events[0]->raw == R"({"type":"track","event":"A","userId":"u1"})");
    CHECK(batch.events[1]->name == "B");
    CHECK(parsed(R"({"batch":[]})").events.empty());
}

TEST_CASE("a bad event is refused alone, with the place") {
    struct Row {
        std::string event, refusal;
    };
    const std::string deep = std::string(64, '[') + std::string(64, ']');
    const Row rows[] = {
        {R"({"type":"identify","userId":tru})", "invalid_json /batch/1/userId"},
        {R"({"type":"identify","userId":"u1","properties":{"price":01}})",
         "invalid_json /batch/1/properties/price"},
        {R"({"type":"identify","userId":"u1","a":"\q"})", "invalid_json /batch/1/a"},
        {R"({"type":"identify" "userId":"u1"})", "invalid_json /batch/1"},
        {"{\"type\":\"identify\",\"userId\":\"\xff\"}", "invalid_utf8 /batch/1/userId"},
        {R"({"type":"identify","userId":"\ud800"})", "invalid_utf8 /batch/1/userId"},
        {R"({"type":"identify","userId":"u1","a/b":{"~":1,"~":2}})",
         "duplicate_key /batch/1/a~1b/~0"},
        {R"({"type":"identify","userId":"u1","a":[1,1e400]})", "number_out_of_range /batch/1/a/1"},
        {R"({"type":"identify","userId":"u1","a":18446744073709551616})",
         "number_out_of_range /batch/1/a"},
        {R"({"type":"identify","userId":"u1","a":)" + deep + "}", "too_deep /batch/1/a" +
                                                                      [] {
                                                                          std::string zeros;
                                                                          for (int i = 0; i < 63;
                                                                               ++i)
                                                                              zeros += "/0";
                                                                          return zeros;
                                                                      }()},
        {R"({"type":"identify","userId":"u1","a":")" + std::string(kEventBytesMax, 'x') + "\"}",
         "event_too_large /batch/1"},
        {R"({"type":"identify"})", "no_identifier /batch/1"},
        {R"({"userId":"u1"})", "invalid_type /batch/1/type"},
        {R"({"type":"purchase","userId":"u1"})", "invalid_type /batch/1/type"},
        {R"({"type":"track","userId":"u1"})", "invalid_event /batch/1/event"},
        {"7", "invalid_event /batch/1"},
        {"[]", "invalid_event /batch/1"},
        {"null", "invalid_event /batch/1"},
        {"nul", "invalid_json /batch/1"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.event.substr(0, 200));
        const auto batch = parsed(batch_of(kGood + "," + row.event + "," + kGood));
        REQUIRE(batch.events.size() == 3);
        CHECK(batch.events[0]);
        REQUIRE_FALSE(batch.events[1]);
        CHECK(batch.events[1].error().reason + " " + batch.events[1].error().pointer ==
              row.refusal);
        CHECK(batch.events[1].error().code == ErrorCode::invalid_argument);
        CHECK(batch.events[2]);
    }
}

TEST_CASE("a syntax error is named by its byte in the body") {
    const auto body = batch_of(kGood + R"(, {"type":tru})");
    const auto batch = parsed(body);
    CHECK(batch.events[1].error().message.find("at byte " + std::to_string(body.find("tru}"))) !=
          std::string::npos);
}

TEST_CASE("the size and depth that are allowed are allowed") {
    const std::string head = R"({"type":"identify","userId":"u1","a":)";
    const auto full = head + "\"" + std::string(kEventBytesMax - head.size() - 3, 'x') + "\"}";
    REQUIRE(full.size() == kEventBytesMax);
    CHECK(parsed(batch_of(full)).events[0]);
    CHECK(refusal_of(full) == "accepted");
    CHECK(refusal_of(full + " ") == "accepted");
    CHECK(refusal_of(head + std::string(63, '[') + std::string(63, ']') + "}") == "accepted");
    CHECK(refusal_of(head + "\"" + std::string(kEventBytesMax, 'x') + "\"}") == "event_too_large ");
}

TEST_CASE("a body whose events cannot be told apart is refused whole") {
    const std::string bodies[] = {
        "",
        "   ",
        "\xef\xbb\xbf" + batch_of(kGood),
        "not json",
        batch_of(kGood) + " " + batch_of(kGood),
        batch_of(kGood) + "]",
        batch_of(kGood).substr(0, 30),
        batch_of(R"({"type":"identify","userId":"u1)"),
        batch_of(R"({"type":"identify","userId":"u1"]})"),
        batch_of(kGood + kGood),
        batch_of(kGood + ","),
        batch_of("," + kGood),
        R"({"batch":[)" + kGood + R"(]"writeKey":"k"})",
        R"({"batch":[)" + kGood + R"(],"writeKey":k})",
        R"({"batch":[)" + kGood + R"(],"x":tru})",
        R"({"batch":[)" + kGood + R"(],})",
        R"({"batch")",
        R"({batch:[]})",
    };
    for (const auto& body : bodies) {
        CAPTURE(body);
        CHECK(body_refusal(body).starts_with("invalid_json "));
    }
    CHECK(body_refusal(R"({"batch":[{"type":"identify","a":{"b":"u1)") ==
          "invalid_json /batch/0/a/b");
}

TEST_CASE("the envelope is read strictly") {
    CHECK(body_refusal(R"({"batch":[],"a":1,"a":2})") == "duplicate_key /a");
    CHECK(body_refusal(R"({"batch":[],"b\u0061tch":[]})") == "duplicate_key /batch");
    CHECK(body_refusal(R"({"batch":[],"a":1e999})") == "number_out_of_range /a");
    CHECK(body_refusal("{\"batch\":[],\"a\":\"\xff\"}") == "invalid_utf8 /a");
    CHECK(body_refusal(R"({"batch":[],"a":)" + std::string(70, '[') + std::string(70, ']') + "}")
              .starts_with("too_deep /a/0"));
    CHECK(body_refusal(R"({"b\u0061tch":[)" + kGood + "]}") == "accepted");

    const std::string late = R"({"batch":[)" + kGood + R"(],"a":1,"a":2})";
    const auto refused = parse_body(late, std::nullopt, context());
    CHECK(refused.error().message.find("at byte " + std::to_string(late.rfind("\"a\""))) !=
          std::string::npos);
}

TEST_CASE("a body that is JSON but no object is no event") {
    for (const char* body : {"[]", "7", "null", "\"x\"", R"([{"type":"identify","userId":"u1"}])"})
        CHECK(body_refusal(body) == "invalid_event ");
    CHECK(body_refusal(std::string(100'000, '[')).starts_with("invalid_json"));
}

TEST_CASE("too many events or bytes refuse the body") {
    std::string events = kGood;
    for (std::size_t i = 1; i < kBatchEventsMax; ++i) events += "," + kGood;
    CHECK(parsed(batch_of(events)).events.size() == kBatchEventsMax);
    CHECK(body_refusal(batch_of(events + "," + kGood)) == "batch_too_large /batch");
    CHECK(body_refusal(std::string(kBodyBytesMax + 1, ' ')) == "body_too_large ");
}

TEST_CASE("the path's type holds for a single event, the item's own in a batch") {
    const auto one = parsed(R"({"type":"identify","event":"E","userId":"u1"})", EventType::track);
    CHECK(one.single);
    CHECK(one.events[0]->type == EventType::track);
    CHECK(parsed(R"({"name":"P","userId":"u1","writeKey":"k2"})", EventType::page).write_key ==
          "k2");
    const auto many = parsed(
        R"({"batch":[{"type":"identify","userId":"u1"},{"event":"E","userId":"u1"},{"type":"x","userId":"u1"}]})",
        EventType::track);
    CHECK(many.events[0]->type == EventType::identify);
    CHECK(many.events[1]->type == EventType::track);
    CHECK(many.events[2].error().reason == "invalid_type");
}

TEST_CASE("a single event may come where batches go, if it says what it is") {
    CHECK(refusal_of(kGood) == "accepted");
    CHECK(refusal_of(R"({"userId":"u1"})") == "invalid_event /batch");
    CHECK(refusal_of(R"({"batch":{},"userId":"u1"})") == "invalid_event /batch");
    CHECK(refusal_of("{}") == "invalid_event /batch");
    CHECK(refusal_of(R"({"batch":7,"event":"E","userId":"u1"})", EventType::track) == "accepted");
    CHECK(refusal_of(R"({"type":"identify","userId":"u1","a":1,"a":2})") == "duplicate_key /a");
}

TEST_CASE("the envelope's context and integrations are written into each event") {
    const auto raw = [](const std::string& event, const std::string& envelope) {
        const auto batch = parsed(R"({"batch":[)" + event + "]," + envelope + "}");
        if (!batch.events[0]) FAIL(batch.events[0].error().reason);
        return batch.events[0]->raw;
    };
    CHECK(
        raw(kGood, R"("context":{"ip":"1.2.3.4"},"integrations":{"All":true})") ==
        R"({"type":"identify","userId":"u1","context":{"ip":"1.2.3.4"},"integrations":{"All":true}})");
    CHECK(raw(R"({"type":"identify","userId":"u1","context":{"a":1,"b":{"x":1}}})",
              R"("context":{"b":{"y":2},"c":3,"\u0061":4})") ==
          R"({"type":"identify","userId":"u1","context":{"a":1,"b":{"x":1},"c":3}})");
    CHECK(raw(R"({"type":"identify","userId":"u1","context":null})", R"("context":{"c":3})") ==
          R"({"type":"identify","userId":"u1","context":{"c":3}})");
    CHECK(raw(R"({"type":"identify","userId":"u1","context":{}})", R"("context":{"c":1.10})") ==
          R"({"type":"identify","userId":"u1","context":{"c":1.10}})");
    // Nothing to write: not a byte is touched.
    const std::string spaced = R"({ "type" : "identify", "userId":"u1" })";
    CHECK(raw(spaced, R"("context":{},"integrations":null)") == spaced);

    const auto batch = parsed(
        R"({"context":{"consent":{"categoryPreferences":{"Ads":false}}},"batch":[)" + kGood + "]}");
    CHECK(preferences_of(*batch.events[0]) == "-Ads");
}

TEST_CASE("an envelope's context does not carry an event past its limits") {
    const std::string large = R"("context":{"x":")" + std::string(kEventBytesMax - 50, 'x') + "\"}";
    const auto batch = parsed(R"({"batch":[)" + kGood + "]," + large + "}");
    CHECK(batch.events[0].error().reason == "event_too_large");
    const auto deep = parsed(R"({"batch":[)" + kGood + R"(],"context":{"x":)" +
                             std::string(62, '[') + std::string(62, ']') + "}}");
    CHECK(deep.events[0]);
    CHECK(body_refusal(R"({"batch":[)" + kGood + R"(],"context":{"x":)" + std::string(63, '[') +
                       std::string(63, ']') + "}}")
              .starts_with("too_deep /context/x/0"));
}

TEST_CASE("what an envelope writes into all events together has a limit") {
    const auto batch = [](std::size_t events, std::size_t bytes) {
        std::string list = kGood;
        for (std::size_t i = 1; i < events; ++i) list += "," + kGood;
        return R"({"batch":[)" + list + R"(],"context":{"x":")" + std::string(bytes, 'x') + "\"}}";
    };
    const auto each = parsed(batch(1, 31'000)).events[0]->raw.size();
    const auto most = kBatchBytesMax / each;
    CHECK(parsed(batch(most, 31'000)).events.size() == most);
    CHECK(body_refusal(batch(most + 1, 31'000)) == "batch_too_large /batch");
    CHECK(body_refusal(batch(kBatchEventsMax, 31'000)) == "batch_too_large /batch");
    // As many as SDKs ever send, with more context than they have.
    CHECK(parsed(batch(kBatchEventsMax, 6000)).events.size() == kBatchEventsMax);
    // Refused one by one, nothing is held of them.
    CHECK(parsed(batch(kBatchEventsMax, 33'000)).events.back().error().reason == "event_too_large");
}

TEST_CASE("what an envelope writes into all events together has a limit of members too") {
    std::string traits;
    for (int n = 0; n < 2'000; ++n)
        traits += std::string(n > 0 ? "," : "") + "\"t" + std::to_string(n) + "\":1";
    const auto batch = [&](std::size_t events) {
        std::string list = kGood;
        for (std::size_t i = 1; i < events; ++i) list += "," + kGood;
        return R"({"batch":[)" + list + R"(],"context":{"traits":{)" + traits + "}}}";
    };
    const auto each = parts_of(*parsed(batch(1)).events[0]);
    CHECK(each > 2'000);
    const auto most = kBatchPartsMax / each;
    CHECK(parsed(batch(most)).events.size() == most);
    CHECK(body_refusal(batch(most + 1)) == "batch_too_large /batch");
}

TEST_CASE("a hundred events of the largest size are a batch") {
    const std::string head = R"({"type":"identify","userId":"u1","a":")";
    const std::string event = head + std::string(kEventBytesMax - head.size() - 2, 'x') + "\"}";
    std::string list = event;
    for (int i = 1; i < 100; ++i) list += "," + event;
    const auto batch = parsed(batch_of(list));
    REQUIRE(batch.events.size() == 100);
    for (const auto& one : batch.events) CHECK(one);
}

TEST_CASE("the write key is found without reading the events") {
    CHECK(write_key_of(batch_of("{\"a\":tru}")) == "k1");
    CHECK(write_key_of(R"({"writeKey":"k\u0031","type":"track"})") == "k1");
    CHECK(write_key_of(R"({"batch":[{"writeKey":"inner"}]})").empty());
    CHECK(write_key_of(R"({"writeKey":7})").empty());
    CHECK(write_key_of(R"({"writeKey":null})").empty());
    CHECK(write_key_of(R"({"writeKey":"k1")").empty());
    CHECK(write_key_of(R"({"writeKey":"k1"} {})").empty());
    CHECK(write_key_of(R"({"writeKey":"\ud800"})").empty());
    CHECK(write_key_of("").empty());
    CHECK(write_key_of("{}").empty());
    CHECK(write_key_of("[]").empty());
}

TEST_CASE("JSONTestSuite: a bad value spoils its event or its body, never a neighbour") {
    const auto folder = data("jsontestsuite/test_parsing");
    if (!folder) return;
    for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
        const auto name = entry.path().filename().string();
        const auto value = read_file(entry.path());
        const auto body = batch_of(kGood + R"(,{"type":"identify","userId":"u1","properties":)" +
                                   value + "}," + kGood);
        CAPTURE(name);
        const auto alone = parse_body(value, std::nullopt, context());
        if (alone) CHECK_FALSE(alone->events[0]);

        const auto batch = parse_body(body, std::nullopt, context());
        const bool doubled = name.starts_with("y_object_duplicated_key");
        if (!batch) {
            CHECK(name[0] != 'y');
            CHECK(batch.error().reason == "invalid_json");
            continue;
        }
        if (name[0] == 'y' && !doubled) CHECK(batch->events[1]);
        if (name[0] == 'n' || doubled) CHECK_FALSE(batch->events[1]);
        REQUIRE(batch->events.size() >= 3);
        CHECK(batch->events.front());
        CHECK(batch->events.back());
    }
}
