#include "cdp/event_time.h"

#include <catch2/catch.hpp>

#include "tests/cdp/parsing.h"

using namespace cdp;
using namespace tests;

namespace {

std::optional<Timestamp> at(const char* text) {
    return text ? parse_time(text) : std::nullopt;
}

}  // namespace

TEST_CASE("event time is the client's unless clocks differ or it cannot be") {
    struct Row {
        const char* claimed;
        const char* sent;
        const char* time;
        TimeNote note;
    };
    // Received at 18:24:50.
    const Row rows[] = {
        {"2026-11-21T18:20:00Z", nullptr, "2026-11-21T18:20:00Z", TimeNote::as_claimed},
        {"2026-11-21T18:20:00Z", "2026-11-21T18:24:49Z", "2026-11-21T18:20:00Z",
         TimeNote::as_claimed},
        // Exactly ten minutes is not more than ten minutes.
        {"2026-11-21T18:10:00Z", "2026-11-21T18:14:50Z", "2026-11-21T18:10:00Z",
         TimeNote::as_claimed},
        {"2026-11-21T18:10:00Z", "2026-11-21T18:14:49.999Z", "2026-11-21T18:20:00.001Z",
         TimeNote::corrected},
        {"2026-11-21T19:24:00Z", "2026-11-21T19:24:50Z", "2026-11-21T18:24:00Z",
         TimeNote::corrected},
        // A telephone whose clock begins in 1970.
        {"1970-01-01T00:00:10Z", "1970-01-01T00:00:20Z", "2026-11-21T18:24:40Z",
         TimeNote::corrected},
        {"1969-12-31T23:59:00Z", "1970-01-01T00:00:00Z", "2026-11-21T18:23:50Z",
         TimeNote::corrected},
        {"2026-11-21T18:24:50.001Z", nullptr, "2026-11-21T18:24:50Z", TimeNote::in_future},
        {"2026-11-21T18:24:50Z", nullptr, "2026-11-21T18:24:50Z", TimeNote::as_claimed},
        // Made after it was sent.
        {"2026-11-21T20:00:00Z", "2026-11-21T19:00:00Z", "2026-11-21T18:24:50Z",
         TimeNote::in_future},
        {"1969-12-31T23:59:59.999Z", nullptr, "2026-11-21T18:24:50Z", TimeNote::before_1970},
        {"1970-01-01T00:00:00Z", nullptr, "1970-01-01T00:00:00Z", TimeNote::as_claimed},
        {"0001-01-01T00:00:00Z", nullptr, "2026-11-21T18:24:50Z", TimeNote::before_1970},
        {"yesterday", nullptr, "2026-11-21T18:24:50Z", TimeNote::unreadable},
        {"2026-11-21T18:20:00Z", "soon", "2026-11-21T18:20:00Z", TimeNote::as_claimed},
    };
    for (const auto& row : rows) {
        CAPTURE(row.claimed, row.sent ? row.sent : "");
        const ClaimedTime claimed{.present = true, .time = at(row.claimed), .sent = at(row.sent)};
        const auto fixed = fix_time(claimed, kReceived, false);
        CHECK(format_time(fixed.time) == format_time(*parse_time(row.time)));
        CHECK(fixed.note == row.note);
    }
    CHECK(fix_time({}, kReceived, false).time == kReceived);
    CHECK(fix_time({}, kReceived, false).note == TimeNote::absent);
}

TEST_CASE("an import keeps the client's clock, but not its future") {
    const ClaimedTime old{.present = true, .time = at("2020-01-01"), .sent = at("2020-01-02")};
    CHECK(fix_time(old, kReceived, true).time == *parse_time("2020-01-01"));
    const ClaimedTime future{.present = true, .time = at("2027-01-01"), .sent = {}};
    CHECK(fix_time(future, kReceived, true).note == TimeNote::in_future);
}

TEST_CASE("no claim leads to a time after receipt or before 1970") {
    for (const char* claimed :
         {"0001-01-01", "1969-12-31", "1990-05-05", "2026-11-21T18:24:50Z", "9999-12-31T23:59:59Z"})
        for (const char* sent :
             {"0001-01-01", "1970-01-01", "2026-11-21T18:00:00Z", "9999-12-31"}) {
            const auto fixed = fix_time({.present = true, .time = at(claimed), .sent = at(sent)},
                                        kReceived, false);
            CHECK(fixed.time <= kReceived);
            CHECK(fixed.time >= Timestamp{});
        }
}

TEST_CASE("times are read where SDKs write them") {
    const auto time_of = [](const std::string& members) {
        return event_of(R"({"type":"identify","userId":"u1")" + members + "}");
    };
    CHECK(time_of(R"(,"timestamp":"2026-11-21T18:20:00.5Z")").time ==
          *parse_time("2026-11-21T18:20:00.5Z"));
    CHECK(time_of(R"(,"originalTimestamp":"2026-11-21T18:20:00Z")").time ==
          *parse_time("2026-11-21T18:20:00Z"));
    CHECK(time_of(R"(,"timestamp":null,"originalTimestamp":"2026-11-21T18:20:00Z")").time ==
          *parse_time("2026-11-21T18:20:00Z"));
    CHECK(
        time_of(R"(,"timestamp":"2026-11-21T18:20:00Z","originalTimestamp":"2026-11-21T18:00:00Z")")
            .time == *parse_time("2026-11-21T18:20:00Z"));
    CHECK(time_of(R"(,"timestamp":1700000000123)").time == timestamp_of(1'700'000'000'123));
    CHECK(time_of(R"(,"timestamp":1700000000123.9)").time == timestamp_of(1'700'000'000'123));

    const auto absent = time_of("");
    CHECK(absent.time == kReceived);
    CHECK_FALSE(absent.time_adjusted);
    for (const char* bad :
         {R"("x")", "true", "{}", "1e300", "-1e300", R"("")", "9223372036854775807"}) {
        CAPTURE(bad);
        const auto event = time_of(R"(,"timestamp":)" + std::string(bad));
        CHECK(event.time == kReceived);
        CHECK(event.time_adjusted);
        CHECK(warnings_of(event) == "unreadable_timestamp");
    }
    CHECK(warnings_of(time_of(R"(,"timestamp":"2099-01-01")")) == "timestamp_in_future");
    CHECK(warnings_of(time_of(R"(,"timestamp":-1)")) == "timestamp_before_1970");
    CHECK(time_of(R"(,"timestamp":"2026-11-21T19:24:00Z","sentAt":"2026-11-21T19:24:50Z")")
              .time_adjusted);
}

TEST_CASE("the envelope's sentAt counts where the event has none, its timestamp never") {
    const auto batch = parsed(R"({"timestamp":"2020-01-01","sentAt":"2026-11-21T19:24:50Z","batch":[
        {"type":"identify","userId":"u1","timestamp":"2026-11-21T19:24:00Z"},
        {"type":"identify","userId":"u1","timestamp":"2026-11-21T18:24:00Z","sentAt":"2026-11-21T18:24:49Z"},
        {"type":"identify","userId":"u1"}]})");
    CHECK(batch.events[0]->time == *parse_time("2026-11-21T18:24:00Z"));
    CHECK(batch.events[1]->time == *parse_time("2026-11-21T18:24:00Z"));
    CHECK(batch.events[2]->time == kReceived);
}
