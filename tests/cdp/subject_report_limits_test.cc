#include <sstream>

#include "tests/cdp/counting_store.h"
#include "tests/cdp/reporting.h"
#include "tests/cdp/retention_world.h"

// What a report does not tell: what is past its time, whose it is not, and who of the staff.

namespace {

using cdp::ReportFormat;
using nlohmann::json;
using tests::PlatformWorld;
using tests::report;
using What = cdp::RetentionRule::What;

bool has(const std::string& text, const std::string& what) {
    return text.find(what) != std::string::npos;
}

std::vector<json> lines_of(const std::string& text) {
    std::vector<json> out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) out.push_back(json::parse(line));
    return out;
}

const auto kTill = PlatformWorld::source("till", cdp::Trust::server);

}  // namespace

TEST_CASE("what is past its time is not told, whether or not it was pruned") {
    auto config = tests::retention::retaining({{What::type, "page", {0, 10}, ""},
                                               {What::label, "promo", {0, 10}, ""},
                                               {What::trait, "tier", {0, 10}, ""}});
    config.policy.properties["coupon"] = {"promo"};
    PlatformWorld world(config);
    world.send_one(
        R"({"type":"identify","userId":"u1","messageId":"m1",)"
        R"("timestamp":"2026-10-01T10:00:00Z","traits":{"tier":"OLDTIER","plan":"kept"}})",
        kTill);
    world.send_one(R"({"type":"page","name":"OLDPAGE","userId":"u1","messageId":"m2",)"
                   R"("timestamp":"2026-10-01T10:00:00Z"})",
                   kTill);
    world.send_one(
        R"({"type":"track","event":"Bought","userId":"u1","messageId":"m3",)"
        R"("timestamp":"2026-10-01T10:00:00Z","properties":{"coupon":"OLDCOUPON","n":1}})",
        kTill);
    for (const auto format : {ReportFormat::json, ReportFormat::html, ReportFormat::portable}) {
        const auto out = tests::told(world, "user_id", "u1", format);
        REQUIRE(out.done);
        CAPTURE(out.text);
        for (const auto* past : {"OLDTIER", "OLDPAGE", "OLDCOUPON"})
            CHECK_FALSE(has(out.text, past));
        CHECK(has(out.text, "kept"));
        CHECK(has(out.text, "Bought"));
    }
    const auto all = report(world, "user_id", "u1");
    CHECK(all["counts"]["events"] == 2);
    CHECK(all["counts"]["traits"] == 1);
}

TEST_CASE("addresses and numbers that are somebody else's are withheld, marked and counted") {
    PlatformWorld world(tests::open_config());
    world.send_one(R"({"type":"identify","userId":"u2","messageId":"m1",)"
                   R"("traits":{"email":"other@shop.example","phone":"+442079460000"}})",
                   kTill);
    world.send_one(R"({"type":"identify","userId":"u1","messageId":"m2",)"
                   R"("traits":{"email":"me@shop.example","friend":"OTHER@shop.example"}})",
                   kTill);
    world.send_one(
        R"({"type":"track","event":"Sent","userId":"u1","messageId":"m3","properties":{)"
        R"("to":"Some One <other@shop.example>","call":"+44 20 7946 0000","n":442079460000,)"
        R"("page":"https://shop.example/?to=other%40shop.example",)"
        R"("list":[{"other@shop.example":1}],"ko":"other@shop.example로","odd":"other@shop.example!","from":"me@shop.example",)"
        R"("nobody":"nobody@shop.example","size":7}})",
        kTill);
    const auto text = [&](ReportFormat format) {
        return tests::told(world, "user_id", "u1", format).text;
    };
    for (const auto format : {ReportFormat::json, ReportFormat::html, ReportFormat::portable}) {
        CAPTURE(text(format));
        for (const auto* theirs : {"other@shop", "OTHER@shop", "other%40shop", "7946 0000"})
            CHECK_FALSE(has(text(format), theirs));
        for (const auto* own : {"me@shop.example", "nobody@shop.example", "withheld"})
            CHECK(has(text(format), own));
    }
    const auto all = report(world, "user_id", "u1");
    INFO(all["events"].dump(1));
    // As a trait, in the event that it came in, and seven times in the other.
    CHECK(all["withheld"]["of_others"] == 9);
    CHECK(lines_of(text(ReportFormat::portable)).back()["withheld_of_others"] == 9);
    // To its owner it is told, and so is everything to an officer who asks for it.
    CHECK(has(report(world, "user_id", "u2").dump(), "other@shop.example"));
    std::string whole;
    REQUIRE(world.platform().privacy().reports.write(
        PlatformWorld::officer("case 7"), {.type = "user_id", .value = "u1", .others = true},
        [&](std::string_view piece) {
            whole += piece;
            return true;
        }));
    CHECK(has(whole, "Some One <other@shop.example>"));
    CHECK(json::parse(whole)["withheld"]["of_others"] == 0);
}

TEST_CASE("of whoever of the staff took an answer down the task is told, not the name") {
    PlatformWorld world(tests::open_config());
    world.send_one(R"({"type":"identify","userId":"u1","messageId":"m1"})", kTill);
    cdp::ConsentRequest request;
    request.identifiers = {{"user_id", "u1"}};
    request.purpose = "email_marketing";
    request.state = "withdrawn";
    request.actor = "officer";
    bool stored = false;
    world.platform().record_consents({cdp::Role::officer, "kim.lee", "", cdp::Trust::client},
                                     {request},
                                     [&](auto result) { stored = static_cast<bool>(result); });
    REQUIRE(stored);
    const auto all = report(world, "user_id", "u1");
    INFO(all["consents"].dump(1));
    REQUIRE(all["consents"].size() == 1);
    CHECK(all["consents"][0]["actor"] == json{{"kind", "officer"}});
    CHECK(all["consents"][0]["origin"] == "officer");
    CHECK(all["consents"][0]["ledger"].contains("commitment"));
    for (const auto format : {ReportFormat::json, ReportFormat::html})
        for (const auto* name : {"kim.lee"})
            CHECK_FALSE(has(tests::told(world, "user_id", "u1", format).text, name));
}

TEST_CASE("of an erasure under a reused number is told that it was, and when") {
    PlatformWorld world(tests::open_config());
    world.send_one(R"({"type":"identify","userId":"u1","messageId":"m1",)"
                   R"("traits":{"phone":"+442079460000"}})",
                   kTill);
    REQUIRE(world.platform().privacy().erasures.erase(PlatformWorld::officer(), "kim",
                                                      {.type = "user_id", .value = "u1"}));
    world.clock().advance(std::chrono::hours(1));
    world.send_one(R"({"type":"identify","userId":"u2","messageId":"m2",)"
                   R"("traits":{"phone":"+442079460000"}})",
                   kTill);
    const auto all = report(world, "user_id", "u2");
    REQUIRE(all["erasures"].size() == 1);
    for (const auto& [name, value] : all["erasures"][0].items())
        CHECK((name == "requested" || name == "completed"));
}

TEST_CASE("what may not be taken along is left out wherever it stands") {
    auto config = tests::open_config();
    config.policy.traits["score"] = {"guess"};
    config.policy.properties["margin"] = {"guess"};
    config.policy.labels.push_back({.name = "guess", .collected_for = {"-"}});
    PlatformWorld world(config);
    world.send_one(R"({"type":"identify","userId":"u1","messageId":"m1",)"
                   R"("traits":{"score":"SECRETSCORE","plan":"gold"}})",
                   kTill);
    world.send_one(R"({"type":"track","event":"Bought","userId":"u1","messageId":"m2",)"
                   R"("properties":{"margin":"SECRETMARGIN","n":1}})",
                   kTill);
    const auto out = tests::told(world, "user_id", "u1", ReportFormat::portable);
    REQUIRE(out.done);
    CAPTURE(out.text);
    CHECK_FALSE(has(out.text, "SECRET"));
    CHECK(has(out.text, "gold"));
    const auto end = lines_of(out.text).back();
    CHECK(end["left_out"] == json{{"traits", 1}, {"events", 0}, {"properties", 1}});
    CHECK(end["events"] == 2);
}

TEST_CASE("two reports are written at a time, and a third is refused") {
    PlatformWorld world(tests::open_config());
    world.send_one(R"({"type":"identify","userId":"u1","messageId":"m1"})", kTill);
    const auto& reports = world.platform().privacy().reports;
    std::vector<std::string> outcomes;
    const std::function<void(int)> write = [&](int depth) {
        bool first = true;
        const auto done = reports.write(PlatformWorld::officer(),
                                        {.type = "user_id", .value = "u1"}, [&](std::string_view) {
                                            if (std::exchange(first, false) && depth < 3)
                                                write(depth + 1);
                                            return true;
                                        });
        outcomes.push_back(done ? "written" : done.error().reason);
    };
    write(1);
    CHECK(outcomes == std::vector<std::string>{"busy", "written", "written"});
    outcomes.clear();
    write(3);
    CHECK(outcomes == std::vector<std::string>{"written"});
}

TEST_CASE("who reads by links leaves a report to those who have keys") {
    PlatformWorld world(tests::open_config());
    world.send_one(R"({"type":"identify","userId":"u1","messageId":"m1"})", kTill);
    const auto& reports = world.platform().privacy().reports;
    const auto write = [&](const cdp::Reader& reader, const std::function<void()>& meanwhile) {
        bool first = true;
        const auto done =
            reports.write(reader, {.type = "user_id", .value = "u1"}, [&](std::string_view) {
                if (std::exchange(first, false)) meanwhile();
                return true;
            });
        return std::string(done ? "written" : done.error().reason);
    };
    const cdp::Reader by_link{.route = "GET /privacy/results/{link}"};
    std::vector<std::string> outcomes;
    outcomes.push_back(write(by_link, [&] {
        outcomes.push_back(write(by_link, [] {}));
        outcomes.push_back(write(PlatformWorld::officer(), [] {}));
    }));
    CHECK(outcomes == std::vector<std::string>{"busy", "written", "written"});
}

TEST_CASE("what cannot be seen or turns text around is named on the page") {
    PlatformWorld world(tests::open_config());
    world.send_one(R"({"type":"identify","userId":"u1","messageId":"m1",)"
                   R"("traits":{"plan":"a\u202egpj.exe \u2066b\u0007 \u0085 \u05d0\u200f"}})",
                   kTill);
    const auto page = tests::told(world, "user_id", "u1", ReportFormat::html).text;
    CHECK(has(page, "a[U+202E]gpj.exe [U+2066]b[U+0007] [U+0085] \u05d0\u200f"));
    for (const auto* raw : {"\u202e", "\u2066", "\x07", "\u0085"}) CHECK_FALSE(has(page, raw));
    // The document has it as it came.
    CHECK(report(world, "user_id", "u1")["traits"][0]["value"].get<std::string>().starts_with(
        "a\u202egpj"));
}

TEST_CASE("what is not told at all is named") {
    PlatformWorld world(tests::open_config());
    world.send_one(R"({"type":"identify","userId":"u1","messageId":"m1"})", kTill);
    const auto left_out = report(world, "user_id", "u1")["left_out"].dump();
    for (const auto* what : {"Notes of members of staff", "held to belong together earlier",
                             "wait to be checked", "confirmed that you took something back"})
        CHECK(has(left_out, what));
}

TEST_CASE("what a report reads of one event more does not grow with the events") {
    auto counting = std::make_unique<tests::CountingStore>(storage::make_memory_store());
    auto& reads = counting->reads();
    PlatformWorld world(tests::open_config(), std::move(counting));
    const auto send = [&](int from, int to) {
        for (int i = from; i < to; ++i)
            world.send_one(json{{"type", "track"},
                                {"event", "x"},
                                {"userId", "u1"},
                                {"messageId", std::to_string(i)},
                                {"timestamp", "2026-11-20T10:00:00Z"}}
                               .dump(),
                           kTill);
    };
    const auto cost = [&] {
        const auto before = reads;
        REQUIRE(tests::told(world, "user_id", "u1", ReportFormat::json).done);
        return reads - before;
    };
    send(0, 100);
    const auto small = cost();
    send(100, 300);
    const auto large = cost();
    CAPTURE(small, large);
    // Its rows, and little else: the names of its identifiers are known.
    CHECK(large - small <= 500);
}
