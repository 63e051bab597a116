#include "consent/decision.h"

#include <catch2/catch.hpp>

#include "tests/consent/world.h"

// The rules of docs/decisions/0016. Those of 0006 are in decision_test.cc.
namespace {

using namespace consent;
using tests::ask;
using tests::day;

struct Row {
    const char* history;
    const char* datum;
    const char* reason;
};

// clang-format off
TEST_CASE("a denial is taken back by the grant that names it, and nothing else is") {
    const auto row = GENERATE(values<Row>({
        {"1 cookie granted; 2 mail withdrawn; 3 cookie granted over 2",            "cookie",   "granted"},
        {"1 cookie granted; 2 mail withdrawn; 3 card granted over 2",              "cookie",   "granted"},
        {"1 cookie granted; 2 mail withdrawn; 3 kiosk granted over 2",             "cookie",   "withdrawn"},  // anybody may have stood there
        {"1 kiosk granted; 2 kiosk withdrawn identifier; 3 kiosk granted over 2",  "kiosk",    "granted"},
        {"1 cookie granted; 2 mail withdrawn; 2 cookie granted over 2",            "cookie",   "withdrawn"},  // not later
        {"1 cookie granted; 2 mail withdrawn; 3 phone denied; 4 cookie granted over 2", "cookie", "denied"},
        {"1 cookie granted; 1 mail objected; 2 mail withdrawn; 3 cookie granted over 3", "cookie", "objected"},  // what it hid is there again
        {"1 cookie granted; 2 mail withdrawn; 3 cookie granted unproven over 2",   "cookie",   "withdrawn"},
        {"1 cookie granted; 2 mail withdrawn; 3 cookie granted young over 2",      "cookie",   "withdrawn"},
        {"1 cookie granted; 2 mail withdrawn; 3 mail not_applicable by officer over 2", "cookie", "granted"},
        {"1 cookie granted; 2 mail withdrawn; 3 mail not_applicable by server over 2",  "cookie", "withdrawn"},
        {"1 cookie granted; 2 mail withdrawn; 4 cookie granted over 2",            "cookie@3", "captured_under_denial"},
        {"1 cookie granted; 2 mail withdrawn; 4 cookie granted over 2",            "cookie@4", "granted"},
    }));
    CAPTURE(row.history, row.datum);
    CHECK(ask(row.history, "ads", row.datum, 5) == row.reason);
}

TEST_CASE("what waits for a confirmation grants nothing, confirmed in time it does") {
    const auto row = GENERATE(values<Row>({
        {"1 cookie pending_doi confirm_by 9",                                      "cookie", "pending_doi"},
        {"1 cookie pending_doi confirm_by 5",                                      "cookie", "never_asked"},
        {"1 cookie granted; 2 cookie pending_doi confirm_by 9",                    "cookie", "granted"},
        {"1 cookie withdrawn; 2 cookie pending_doi confirm_by 9",                  "cookie", "withdrawn"},
        {"1 cookie pending_doi confirm_by 3; 2 cookie granted confirms 1",         "cookie", "granted"},
        {"1 cookie pending_doi confirm_by 3; 3 cookie granted confirms 1",         "cookie", "granted"},
        {"1 cookie pending_doi confirm_by 3; 4 cookie granted confirms 1",         "cookie", "pending_doi"},
        {"1 mail pending_doi confirm_by 3; 2 cookie granted confirms 1",           "cookie", "pending_doi"},  // of another
        {"1 cookie pending_doi confirm_by 3 for scoring; 2 cookie granted confirms 1", "cookie", "pending_doi"},
        {"2 cookie granted confirms 7",                                            "cookie", "pending_doi"},
    }));
    CAPTURE(row.history, row.datum);
    CHECK(ask(row.history, "ads", row.datum, 5) == row.reason);
}

TEST_CASE("states that neither grant nor refuse end, renew or say nothing") {
    const auto row = GENERATE(values<Row>({
        {"1 cookie granted; 2 cookie expired",                           "cookie",   "expired"},
        {"1 cookie granted; 1 cookie expired",                           "cookie",   "expired"},
        {"1 cookie withdrawn; 2 cookie expired",                         "cookie",   "withdrawn"},  // it lifts nothing
        {"2 cookie expired",                                             "cookie",   "never_asked"},
        {"1 cookie not_applicable",                                      "cookie",   "never_asked"},
        {"1 cookie noticed; 2 cookie reconfirmed",                       "cookie",   "never_asked"},
        {"1 cookie withdrawn; 2 cookie reconfirmed",                     "cookie",   "withdrawn"},
        {"1 cookie restricted; 1 card granted",                          "card",     "restricted"},
        {"1 cookie granted; 2 cookie withdrawn for *",                   "cookie",   "withdrawn"},
        {"1 cookie granted for *",                                       "cookie",   "never_asked"},
        {"1 cookie granted young",                                       "cookie",   "guardian_missing"},
        {"1 cookie granted; 2 cookie denied identifier young",           "cookie",   "denied"},
        {"1 cookie withdrawn; 2 cookie granted person unproven",         "cookie",   "withdrawn"},
        {"1 cookie granted; 2 cookie granted unproven until 3",          "cookie",   "expired"},
        {"1 cookie withdrawn; 2 cookie granted person; 3 cookie granted unproven", "cookie@3", "granted"},

        {"1 cookie granted; 2 cookie invalidated identifier",            "cookie@5", "never_asked"},
        {"1 cookie granted; 2 cookie invalidated identifier; 3 cookie granted", "cookie@3", "granted"},
        {"1 cookie granted; 2 cookie invalidated identifier; 3 cookie granted", "cookie@2", "invalidated"},
        {"1 cookie granted; 2 mail invalidated identifier; 3 mail granted", "cookie=mail@1", "invalidated"},
        {"1 card granted; 2 mail withdrawn; 3 mail invalidated identifier", "card@1", "granted"},
        {"1 card granted; 3 mail invalidated identifier; 4 mail withdrawn", "card", "withdrawn"},
    }));
    CAPTURE(row.history, row.datum);
    CHECK(ask(row.history, "ads", row.datum, 5) == row.reason);
}

TEST_CASE("a restriction refuses contracts too, and only what the law demands passes") {
    const auto row = GENERATE(values<Row>({
        {"1 mail restricted",                                "cookie", "restricted"},
        {"1 mail restricted; 2 mail withdrawn",              "cookie", "restricted"},  // what follows does not replace it
        {"1 mail restricted identifier",                     "cookie", "contract"},
        {"1 cookie restricted identifier",                   "cookie", "restricted"},
        {"1 mail restricted; 2 mail granted person",         "cookie", "contract"},
        {"1 mail restricted; 2 card not_applicable by officer over 1", "cookie", "contract"},
        {"1 mail withdrawn",                                 "cookie", "contract"},
    }));
    CAPTURE(row.history, row.datum);
    CHECK(ask(row.history, "orders", row.datum, 5) == row.reason);
    CHECK(ask(row.history, "tax", row.datum, 5) == "legal_obligation");
}
// clang-format on

struct Asked {
    const char* history;
    const char* purpose = "ads";
    std::vector<std::string> places = {};
    int hours = 0;
    std::vector<std::string> labels = {};
    const char* datum = "cookie@1";
    std::optional<MessageClass> message_class = {};
};

Decision decide(const Asked& asked) {
    const Question question{.purpose = asked.purpose,
                            .channel = "tool",
                            .now = day(5) + std::chrono::hours(asked.hours),
                            .jurisdictions = asked.places,
                            .message_class = asked.message_class};
    auto datum = tests::datum(asked.datum, 5);
    datum.labels = asked.labels;
    const auto members = tests::with_history(asked.history, asked.purpose);
    return Judge(tests::policy(), members, question).decide(datum);
}

std::string reason(const Asked& asked) {
    return std::string(to_string(decide(asked).reason));
}

TEST_CASE("a denial of one label touches data that bear it, a grant of labels only theirs") {
    const char* denied = "1 cookie granted; 2 mail withdrawn of health of place";
    CHECK(reason({.history = denied, .labels = {"name"}}) == "granted");
    CHECK(reason({.history = denied, .labels = {"name", "health"}}) == "withdrawn");
    const char* granted = "1 cookie granted of name of place";
    CHECK(reason({.history = granted, .labels = {"name"}}) == "granted");
    CHECK(reason({.history = granted, .labels = {"name", "health"}}) == "never_asked");
    CHECK(reason({.history = granted}) == "never_asked");
    CHECK(reason({.history = "1 cookie granted", .labels = {"name"}}) == "granted");
}

TEST_CASE("of several jurisdictions the strictest holds, and the narrowest row of each") {
    CHECK(reason({.history = "", .places = {"US"}}) == "not_objected");
    CHECK(reason({.history = "", .places = {"US-NY"}}) == "not_objected");
    CHECK(reason({.history = "", .places = {"US-CA"}}) == "never_asked");
    CHECK(reason({.history = "", .places = {"US", "DE"}}) == "never_asked");
    CHECK(reason({.history = "1 cookie granted", .places = {"US", "DE"}}) == "granted");
    CHECK(reason({.history = "", .purpose = "scoring", .places = {"FR"}}) == "legal_obligation");
}

TEST_CASE("where somebody answered makes it stricter, never laxer") {
    CHECK(reason({.history = "", .purpose = "scoring"}) == "not_objected");
    CHECK(reason({.history = "1 card granted in KR", .purpose = "scoring"}) == "never_asked");
    CHECK(reason({.history = "1 kiosk granted in KR", .purpose = "scoring"}) == "not_objected");
    CHECK(reason({.history = "1 card granted in US"}) == "never_asked");
}

TEST_CASE("at night marketing waits for the morning, unless the night was consented to") {
    const std::string history = "4 cookie granted";
    const auto at = [&](int hours, const std::string& more = "", const char* place = "KR") {
        const auto all = history + more;
        return decide(
            {.history = all.c_str(), .places = {place}, .hours = hours, .datum = "cookie@4"});
    };
    CHECK(at(11).allowed());  // 20:00 in Korea
    CHECK(at(12).reason == Reason::quiet_hours);
    CHECK(at(12).outcome() == Outcome::defer_until);
    CHECK(at(12).defer_until == day(5) + std::chrono::hours(23));
    CHECK(at(22).defer_until == day(5) + std::chrono::hours(23));
    CHECK(at(23).allowed());
    CHECK(at(12, "", "US-CA").allowed());
    CHECK(at(12, "; 4 cookie granted for night").allowed());
    CHECK_FALSE(at(12, "; 4 card granted for night").allowed());
    CHECK_FALSE(at(12, "; 4 cookie granted for night; 5 mail withdrawn for night").allowed());
    CHECK(at(0).changes_at == day(5) + std::chrono::hours(12));
    CHECK(at(13).changes_at == day(5) + std::chrono::hours(23));
    CHECK(at(12, "; 5 mail withdrawn").reason == Reason::withdrawn);  // waiting would not help
    const Asked service{
        .history = "4 cookie granted", .purpose = "scoring", .places = {"KR"}, .hours = 12};
    CHECK(decide(service).allowed());
}

TEST_CASE("what is allowed says what is owed") {
    const auto owed = [](const char* history, std::vector<std::string> places) {
        return decide({.history = history, .places = places}).obligations;
    };
    using enum Obligation;
    CHECK(owed("4 cookie granted", {"DE"}).empty());
    CHECK(owed("4 cookie granted", {"KR"}) == Obligations{label_advertisement});
    CHECK(owed("1 cookie granted", {"KR"}) == Obligations{label_advertisement, reconfirm_due});
    CHECK(owed("1 cookie granted; 3 cookie noticed", {"KR"}) == Obligations{label_advertisement});
    CHECK(owed("1 cookie granted; 3 cookie reconfirmed", {"KR"}) ==
          Obligations{label_advertisement});
    CHECK(owed("4 cookie granted due 5", {"DE"}) == Obligations{reconfirm_due});
    CHECK(owed("4 cookie granted due 6", {"DE"}).empty());
    CHECK(owed("4 cookie granted unproven", {"DE"}) == Obligations{no_proof});
}

TEST_CASE("where policy wants a grant confirmed, silence is not enough") {
    CHECK(reason({.history = "3 cookie granted", .places = {"FR"}}) == "granted");
    CHECK(reason({.history = "2 cookie granted", .places = {"FR"}}) == "reconfirm_overdue");
    CHECK(reason({.history = "2 cookie granted; 4 cookie noticed", .places = {"FR"}}) ==
          "reconfirm_overdue");
    CHECK(reason({.history = "2 cookie granted; 4 cookie reconfirmed", .places = {"FR"}}) ==
          "granted");
    CHECK(decide({.history = "3 cookie granted", .places = {"FR"}}).changes_at == day(6));
}

TEST_CASE("asked for a service message, a marketing purpose refuses") {
    CHECK(reason({.history = "1 cookie granted", .message_class = MessageClass::service}) ==
          "message_class_differs");
    CHECK(reason({.history = "1 cookie granted", .message_class = MessageClass::marketing}) ==
          "granted");
    CHECK(reason({.history = "", .purpose = "orders", .message_class = MessageClass::service}) ==
          "contract");
}

std::string after_split(const std::string& history, int split, const char* who = "cookie@1") {
    auto members = tests::with_history(history, "ads");
    members[1].quarantined_until_released = day(split);  // mail
    const Question question{.purpose = "ads", .channel = "tool", .now = day(5)};
    const Judge judge(tests::policy(), members, question);
    return std::string(to_string(judge.decide(tests::datum(who, 5)).reason));
}

TEST_CASE("whom an operator split off refuses as before, and says nothing new") {
    CHECK(after_split("1 cookie granted; 2 mail withdrawn", 4) == "quarantined");
    CHECK(after_split("1 cookie granted; 4 mail withdrawn", 4) == "granted");
    CHECK(after_split("1 cookie granted; 2 mail withdrawn device", 4) == "granted");
    CHECK(after_split("1 cookie granted; 2 mail withdrawn; 3 mail granted person", 4) == "granted");
    CHECK(after_split("1 cookie granted; 2 mail withdrawn; 4 mail granted person", 4) ==
          "quarantined");
    CHECK(after_split("1 cookie granted; 2 mail withdrawn; 3 cookie granted over 2", 4) ==
          "granted");
    CHECK(after_split("1 cookie granted; 2 mail withdrawn; 4 cookie granted over 2", 4) ==
          "quarantined");
    CHECK(after_split("1 mail granted", 4, "mail@1") == "identifier_unknown");
}

TEST_CASE("an explanation names everything that refuses, the decision's own reason first") {
    const auto members = tests::with_history(
        "1 cookie granted; 2 mail withdrawn; 3 card objected; 4 cookie denied device", "ads");
    const Judge judge(tests::policy(), members,
                      {.purpose = "ads", .channel = "tool", .now = day(5)});
    const auto causes = judge.explain(tests::datum("cookie@1", 5));
    REQUIRE(causes.size() == 3);
    CHECK(causes[0] == Cause{Reason::objected, tests::record_id(3), {}});
    CHECK(causes[1] == Cause{Reason::withdrawn, tests::record_id(2), {}});
    CHECK(causes[2] == Cause{Reason::denied, tests::record_id(4), tests::token("cookie")});
}

TEST_CASE("who refused is not asked again before the time they were given") {
    auto members = tests::with_history("1 cookie denied; 2 mail denied", "ads");
    members[0].facts[0].no_reask_until = day(300);
    members[1].facts[0].no_reask_until = day(200);
    const Judge judge(tests::policy(), members,
                      {.purpose = "ads", .channel = "tool", .now = day(5)});
    CHECK(judge.no_reask_until() == day(300));
}

TEST_CASE("a weak identifier keeps a denial to itself, unless a browser's signal carried it") {
    Record record{.id = tests::record_id(1),
                  .asserted = {{tests::token("a")},
                               {tests::token("b"), Strength::weak},
                               {tests::token("c"), Strength::shared}}};
    record.purpose = "ads";
    record.state = State::objected;
    CHECK(fact_of(record, tests::token("a")).scope == Scope::person);
    CHECK(fact_of(record, tests::token("b")).scope == Scope::identifier);
    CHECK(fact_of(record, tests::token("c")).scope == Scope::identifier);
    record.signal = {SignalType::gpc, "1", sha256("1"), "1"};
    CHECK(fact_of(record, tests::token("b")).scope == Scope::person);
    CHECK(fact_of(record, tests::token("c")).scope == Scope::identifier);
}

}  // namespace
