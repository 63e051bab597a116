#include "consent/decision.h"

#include <catch2/catch.hpp>

#include "tests/consent/world.h"

namespace {

using tests::ask;
using tests::day;
using tests::decide;

struct Row {
    const char* history;
    const char* datum;
    int today;
    const char* reason;
};

// clang-format off

TEST_CASE("by opt-in of the person, the identifier that collected a datum must have granted") {
    const auto row = GENERATE(values<Row>({
        {"",                                              "cookie",      5, "never_asked"},
        {"1 cookie granted",                              "cookie",      5, "granted"},
        {"1 cookie granted; 3 cookie withdrawn",          "cookie",      5, "withdrawn"},
        {"1 cookie granted; 3 cookie denied",             "cookie",      5, "denied"},
        {"1 cookie granted; 3 cookie objected",           "cookie",      5, "objected"},
        {"1 cookie granted; 9 cookie withdrawn",          "cookie",      5, "withdrawn"},   // said before the clock was set back
        {"9 cookie granted",                              "cookie",      5, "never_asked"},
        {"1 cookie granted; 9 mail withdrawn",            "cookie",      5, "withdrawn"},
        {"7 cookie withdrawn; 9 cookie granted person",   "cookie",      5, "withdrawn"},
        {"5 cookie granted",                              "cookie",      5, "granted"},     // from its moment on
        {"1 cookie granted; 5 cookie withdrawn",          "cookie",      5, "withdrawn"},
        {"3 cookie withdrawn; 1 cookie granted",          "cookie",      5, "withdrawn"},   // said first, came late
        {"3 cookie granted; 3 cookie denied device",      "cookie",      5, "denied"},      // a tie
        {"3 cookie denied device; 3 cookie granted",      "cookie",      5, "denied"},

        {"1 cookie granted until 4",                      "cookie",      5, "expired"},
        {"1 cookie granted until 5",                      "cookie",      5, "expired"},     // exclusive
        {"1 cookie granted until 6",                      "cookie",      5, "granted"},
        {"1 cookie granted; 2 cookie granted until 4",    "cookie",      5, "expired"},     // does not revive the older grant
        {"1 cookie denied device; 2 cookie granted until 4", "cookie",   5, "expired"},     // nor the older denial
        {"1 cookie denied; 2 cookie granted person until 4", "card",     5, "never_asked"},

        // Grants never spread.
        {"1 mail granted",                                "cookie",      5, "never_asked"},
        {"1 account granted person",                      "cookie",      5, "never_asked"},
        {"1 account granted person by officer",           "cookie!",     5, "never_asked"},

        // A datum that is itself an identifier may be granted as such.
        {"1 mail granted",                                "cookie=mail", 5, "granted"},
        {"1 cookie granted",                              "cookie=mail", 5, "granted"},
        {"1 cookie granted; 2 mail denied identifier",    "cookie=mail", 5, "denied"},
        {"1 mail granted; 2 cookie denied device",        "cookie=mail", 5, "denied"},
        {"1 mail granted until 3",                        "cookie=mail", 5, "expired"},

        // Denials of scope person spread, others stay.
        {"1 cookie granted; 3 mail withdrawn",            "cookie",      5, "withdrawn"},
        {"1 cookie granted; 3 mail withdrawn identifier", "cookie",      5, "granted"},
        {"1 cookie granted; 3 mail withdrawn device",     "cookie",      5, "granted"},
        {"3 mail withdrawn; 4 cookie granted person",     "cookie",      5, "withdrawn"},   // another identifier cannot lift it
        {"3 mail withdrawn; 4 mail granted; 4 cookie granted", "cookie", 5, "withdrawn"},   // nor a grant of lesser scope
        {"3 mail withdrawn; 4 mail granted person; 1 cookie granted", "cookie@4", 5, "granted"},
        {"3 mail withdrawn; 3 mail granted person; 1 cookie granted", "cookie", 5, "withdrawn"},
        {"2 mail denied; 3 card objected; 1 cookie granted", "cookie",   5, "objected"},    // the newest is named

        // What is said on a machine that others use stays with it.
        {"1 cookie granted; 3 kiosk withdrawn",           "cookie",      5, "granted"},
        {"1 kiosk granted; 3 kiosk withdrawn",            "kiosk",       5, "withdrawn"},
        {"1 kiosk granted",                               "cookie",      5, "never_asked"},
    }));
    CAPTURE(row.history, row.datum, row.today);
    CHECK(ask(row.history, "ads", row.datum, row.today) == row.reason);
}

TEST_CASE("by opt-in of an address, the address that will be used must have granted") {
    const auto row = GENERATE(values<Row>({
        {"",                                              "cookie=mail",  5, "never_asked"},
        {"1 mail granted",                                "cookie=mail",  5, "granted"},
        {"1 mail granted",                                "mail=mail",    5, "granted"},
        {"1 cookie granted",                              "cookie=mail",  5, "never_asked"},
        {"1 mail granted; 2 mail withdrawn",              "cookie=mail",  5, "withdrawn"},
        {"1 mail granted; 2 mail withdrawn identifier",   "cookie=mail",  5, "withdrawn"},
        {"1 mail granted; 2 cookie denied device",        "cookie=mail",  5, "denied"},
        {"1 mail granted",                                "cookie=phone", 5, "never_asked"},
        {"1 mail granted until 5",                        "cookie=mail",  5, "expired"},

        // What goes with the address: the address's grant suffices.
        {"1 mail granted",                                "cookie",       5, "granted"},
        {"1 mail granted",                                "account",      5, "granted"},
        {"1 cookie granted",                              "cookie",       5, "granted"},
        {"1 phone granted",                               "cookie",       5, "never_asked"},  // not what the purpose addresses
        {"1 mail granted; 2 cookie denied device",        "cookie",       5, "denied"},
        {"1 mail granted; 2 mail withdrawn",              "cookie",       5, "withdrawn"},

        // Clients are not believed about addresses, but their denials count.
        {"1 mail granted by client_stamp",                "cookie=mail",  5, "never_asked"},
        {"1 phone granted by client_stamp",               "phone",        5, "never_asked"},
        {"1 mail granted by server_stamp",                "cookie=mail",  5, "granted"},
        {"1 mail granted; 2 mail denied by client_stamp", "cookie=mail",  5, "denied"},
        {"1 mail withdrawn; 2 mail granted person by client_stamp", "cookie=mail", 5, "withdrawn"},
        {"1 mail granted until 3; 2 mail granted by client_stamp",  "cookie=mail", 5, "expired"},
        {"1 cookie granted by client_stamp",              "cookie",       5, "granted"},

        // Somebody who answered for the account answered for the addresses the shop's server files under it.
        {"1 account granted person",                      "account=mail!", 5, "granted"},
        {"1 account granted person by officer",           "account=mail!", 5, "granted"},
        {"1 account granted person by server_stamp",      "account=mail!", 5, "never_asked"},
        {"1 account granted person by client_stamp",      "account=mail!", 5, "never_asked"},
        {"1 account granted person",                      "account=mail",  5, "never_asked"},  // the datum came from a client
        {"1 account granted",                             "account=mail!", 5, "never_asked"},  // not for the person
        {"1 card granted person",                         "card=mail!",    5, "never_asked"},  // not an account
        {"1 account granted person until 4",              "account=mail!", 5, "never_asked"},
        {"1 account granted person; 2 mail denied identifier", "account=mail!", 5, "denied"},
        {"1 account granted person; 2 account denied identifier; 3 account granted by client_stamp",
                                                          "account=mail!", 5, "never_asked"},
        {"1 account granted person; 2 account granted by client_stamp", "account=mail!", 5, "granted"},
    }));
    CAPTURE(row.history, row.datum, row.today);
    CHECK(ask(row.history, "news", row.datum, row.today) == row.reason);
}

TEST_CASE("by opt-out, everything is allowed until somebody objects") {
    const auto row = GENERATE(values<Row>({
        {"",                                              "cookie",      5, "not_objected"},
        {"1 cookie granted",                              "cookie",      5, "not_objected"},
        {"1 cookie granted until 3",                      "cookie",      5, "not_objected"},
        {"1 cookie objected",                             "cookie",      5, "objected"},
        {"1 cookie objected device",                      "cookie",      5, "objected"},
        {"1 cookie objected device",                      "card",        5, "not_objected"},
        {"1 cookie objected",                             "card",        5, "objected"},
        {"1 mail objected identifier",                    "cookie=mail", 5, "objected"},
        {"1 kiosk objected",                              "card",        5, "not_objected"},
        {"1 cookie objected by client_stamp",             "card",        5, "objected"},
        {"1 cookie objected; 2 cookie granted person",    "card@2",      5, "not_objected"},
        {"1 cookie objected; 2 cookie granted person",    "card@1",      5, "captured_under_denial"},
        {"1 cookie objected; 2 card granted person",      "card",        5, "objected"},
    }));
    CAPTURE(row.history, row.datum, row.today);
    CHECK(ask(row.history, "scoring", row.datum, row.today) == row.reason);
}

TEST_CASE("what a contract needs does not ask for consent") {
    const auto row = GENERATE(values<Row>({
        {"",                        "cookie",   5, "contract"},
        {"1 cookie objected",       "cookie",   5, "contract"},
        {"1 cookie objected",       "cookie@1", 5, "contract"},
    }));
    CAPTURE(row.history, row.datum, row.today);
    CHECK(ask(row.history, "orders", row.datum, row.today) == row.reason);
}

TEST_CASE("what was captured under a denial is released by no later grant") {
    const auto row = GENERATE(values<Row>({
        {"2 cookie denied; 4 cookie granted person",          "cookie@1",      5, "granted"},   // no record at capture denies nothing
        {"2 cookie denied; 4 cookie granted person",          "cookie@2",      5, "captured_under_denial"},
        {"2 cookie denied; 4 cookie granted person",          "cookie@3",      5, "captured_under_denial"},
        {"2 cookie denied; 4 cookie granted person",          "cookie@4",      5, "granted"},
        {"2 cookie denied device; 4 cookie granted",          "cookie@3",      5, "captured_under_denial"},
        {"2 cookie granted; 2 cookie denied device; 4 cookie granted", "cookie@2", 5, "captured_under_denial"},
        {"1 cookie granted; 2 mail denied; 4 mail granted person", "cookie@3", 5, "captured_under_denial"},
        {"1 cookie granted; 2 mail denied device; 4 mail granted", "cookie@3", 5, "granted"},
        {"1 cookie granted; 2 kiosk denied; 4 kiosk granted person", "cookie@3", 5, "granted"},
        {"1 cookie granted; 2 mail denied device; 3 mail granted person", "cookie=mail@2", 5, "granted"},  // named in a grant since: collected anew
        {"1 cookie granted; 2 mail denied device; 3 mail granted; 4 cookie granted", "cookie=mail@2", 5, "granted"},
        {"2 cookie denied; 4 cookie granted person",          "cookie=mail@3", 5, "captured_under_denial"},
        {"2 cookie denied; 4 cookie granted person; 4 mail granted", "cookie=mail@3", 5, "granted"},
        {"2 cookie denied; 4 cookie granted person; 3 mail granted", "cookie=mail@3", 5, "granted"},  // at the moment of capture
        {"2 cookie denied; 4 cookie granted person; 1 mail granted", "cookie=mail@3", 5, "captured_under_denial"},
        {"2 cookie denied; 4 cookie granted person; 4 mail granted by client_stamp", "cookie=mail@3", 5, "captured_under_denial"},
        {"2 cookie denied; 4 cookie granted person; 6 mail granted", "cookie=mail@3", 5, "captured_under_denial"},  // not yet
        {"1 cookie granted until 2; 3 cookie granted",        "cookie@2",      5, "granted"},   // expiry is not a denial
        {"1 cookie denied; 2 cookie granted person until 3; 4 cookie granted", "cookie@3", 5, "granted"},
    }));
    CAPTURE(row.history, row.datum, row.today);
    CHECK(ask(row.history, "ads", row.datum, row.today) == row.reason);
}

TEST_CASE("what was said covers the purpose, its descendants and the channels it names") {
    const auto row = GENERATE(values<Row>({
        {"1 cookie granted for ads",                                   "cookie", 5, "granted"},
        {"1 cookie granted for ads/social",                            "cookie", 5, "granted"},
        {"1 cookie granted for ads/social/video",                      "cookie", 5, "never_asked"},
        {"1 cookie granted for ad",                                    "cookie", 5, "never_asked"},
        {"1 cookie granted for ads/so",                                "cookie", 5, "never_asked"},
        {"1 cookie granted for ads; 2 cookie denied for ads/social",   "cookie", 5, "denied"},
        {"1 cookie granted for ads/social; 2 cookie denied for ads",   "cookie", 5, "denied"},
        {"1 cookie granted for ads; 2 cookie denied for scoring",      "cookie", 5, "granted"},
        {"1 cookie granted to tool",                                   "cookie", 5, "granted"},
        {"1 cookie granted to other to tool",                          "cookie", 5, "granted"},
        {"1 cookie granted to other",                                  "cookie", 5, "never_asked"},
        {"1 cookie granted; 2 cookie denied to other",                 "cookie", 5, "granted"},
        {"1 cookie granted to tool; 2 cookie denied",                  "cookie", 5, "denied"},
    }));
    CAPTURE(row.history, row.datum, row.today);
    CHECK(ask(row.history, "ads/social", row.datum, row.today) == row.reason);
}
// clang-format on

TEST_CASE("a question about something nobody declared is refused with its own reason") {
    CHECK(ask("1 cookie granted", "ads", "cookie", 5, "tool") == "granted");
    CHECK(ask("1 cookie granted", "spying", "cookie", 5) == "purpose_unknown");
    CHECK(ask("1 cookie granted", "ads", "cookie", 5, "stranger") == "channel_unknown");
    CHECK(ask("1 cookie granted", "unused", "cookie", 5) == "purpose_not_registered");
    CHECK(ask("1 cookie granted", "scoring", "cookie", 5, "other") == "purpose_not_registered");
    CHECK(ask("1 cookie granted", "ads/social", "cookie", 5, "other") == "granted");
    CHECK(ask("1 cookie granted", "ads", "stranger", 5) == "identifier_unknown");
    CHECK(ask("1 cookie granted", "ads", "cookie=stranger", 5) == "identifier_unknown");
}

TEST_CASE("a decision that nobody made refuses") {
    CHECK_FALSE(consent::Decision{}.allowed());
}

TEST_CASE("a decision names the record it rests on") {
    using tests::record_id;
    CHECK(decide("1 cookie granted; 2 cookie granted", "ads", "cookie", 5).evidence ==
          record_id(2));
    CHECK(decide("1 cookie granted; 2 mail denied", "ads", "cookie", 5).evidence == record_id(2));
    CHECK(decide("1 mail denied; 3 mail granted person; 1 cookie granted", "ads", "cookie@2", 5)
              .evidence == record_id(1));
    CHECK(decide("1 account granted person", "news", "account=mail!", 5).evidence == record_id(1));
    CHECK_FALSE(decide("", "ads", "cookie", 5).evidence);
    CHECK_FALSE(decide("1 cookie granted", "scoring", "cookie", 5).evidence);
}

TEST_CASE("a decision says until when time alone cannot change it") {
    CHECK_FALSE(decide("1 cookie granted", "ads", "cookie", 5).changes_at);
    CHECK_FALSE(decide("1 cookie granted until 4", "ads", "cookie", 5).changes_at);
    CHECK(decide("1 cookie granted until 8", "ads", "cookie", 5).changes_at == day(8));
    CHECK(decide("1 cookie granted until 8; 7 mail denied", "ads", "cookie", 5).changes_at ==
          day(7));
    CHECK_FALSE(
        decide("1 cookie granted; 7 mail denied for scoring", "ads", "cookie", 5).changes_at);
    CHECK_FALSE(decide("1 cookie granted until 8", "orders", "cookie", 5).changes_at);
}

TEST_CASE("the standing of an identifier is what was said under it alone") {
    const auto all =
        tests::with_history("1 mail granted; 2 account denied; 3 phone granted until 4", "ads");
    const consent::Judge judge(tests::policy(), all,
                               {.purpose = "ads", .channel = "tool", .now = day(5)});
    using consent::Reason;
    CHECK(judge.standing(tests::token("mail")).reason == Reason::granted);
    CHECK(judge.standing(tests::token("account")).reason == Reason::denied);
    CHECK(judge.standing(tests::token("phone")).reason == Reason::expired);
    CHECK(judge.standing(tests::token("cookie")).reason == Reason::never_asked);
    CHECK(judge.standing(tests::token("stranger")).reason == Reason::identifier_unknown);
}

TEST_CASE("every reason has a name that reads back") {
    for (int i = 0; i <= static_cast<int>(consent::Reason::contract); ++i) {
        const auto reason = static_cast<consent::Reason>(i);
        CAPTURE(i);
        CHECK(consent::parse_reason(to_string(reason)) == reason);
    }
    CHECK_FALSE(consent::parse_reason("allowed"));
}

}  // namespace
