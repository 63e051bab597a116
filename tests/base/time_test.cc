#include "cdp/base/time.h"

#include <catch2/catch.hpp>

#include "cdp/base/bytes.h"
#include "cdp/base/ids.h"
#include "cdp/base/random.h"
#include "tests/support/seeds.h"

namespace {

std::string read(std::string_view text) {
    const auto time = cdp::parse_time(text);
    return time ? cdp::format_time(*time) : "no";
}

}  // namespace

TEST_CASE("a time is read as SDKs write it") {
    struct Row {
        const char* text;
        const char* time;
    };
    // clang-format off
    const auto row = GENERATE(values<Row>({
        {"2026-11-21T18:24:49.034Z",          "2026-11-21T18:24:49.034Z"},
        {"2026-11-21T18:24:49.034123+00:00",  "2026-11-21T18:24:49.034Z"},
        {"2026-11-21t18:24:49z",              "2026-11-21T18:24:49.000Z"},
        {"2026-11-21 18:24:49.5Z",            "2026-11-21T18:24:49.500Z"},
        {"2026-11-21T18:24Z",                 "2026-11-21T18:24:00.000Z"},
        {"2026-11-21T00:30:00+01:00",         "2026-11-20T23:30:00.000Z"},
        {"2026-11-21T00:30:00-0230",          "2026-11-21T03:00:00.000Z"},
        {"2026-11-21",                        "2026-11-21T00:00:00.000Z"},
        {"2024-02-29T00:00:00Z",              "2024-02-29T00:00:00.000Z"},
        {"2026-12-31T23:59:60Z",              "2027-01-01T00:00:00.000Z"},
        {"1969-12-31T23:59:59.999Z",          "1969-12-31T23:59:59.999Z"},
        {"2026-02-29T00:00:00Z",              "no"},
        {"2026-11-21T24:00:00Z",              "no"},
        {"2026-11-21T18:24:49",               "no"},  // whose clock?
        {"2026-11-21T18:24:49.Z",             "no"},
        {"2026-11-21T18:24:49Zx",             "no"},
        {"26-11-21T18:24:49Z",                "no"},
        {"1795284249",                        "no"},
        {"",                                  "no"},
    }));
    // clang-format on
    CAPTURE(row.text);
    CHECK(read(row.text) == row.time);
}

TEST_CASE("a day starts at midnight UTC, before 1970 too") {
    CHECK(cdp::day_of(cdp::timestamp_of(0)) == 0);
    CHECK(cdp::day_of(cdp::timestamp_of(86'399'999)) == 0);
    CHECK(cdp::day_of(cdp::timestamp_of(-1)) == -1);
}

TEST_CASE("what a writer wrote a reader reads, and nothing shorter is done") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random{seed};
    const auto number = random.next();
    const std::string text(random.below(40), 'x');
    const auto bytes = cdp::ByteWriter()
                           .u8(7)
                           .u64(number)
                           .bytes(text)
                           .u16(static_cast<std::uint16_t>(number))
                           .take();
    const auto reads_whole = [&](std::string_view in) {
        cdp::ByteReader reader(in);
        return reader.u8() == 7 && reader.u64() == number && reader.bytes() == text &&
               reader.u16() == static_cast<std::uint16_t>(number) && reader.done();
    };
    CHECK(reads_whole(bytes));
    for (std::size_t n = 0; n < bytes.size(); ++n)
        CHECK_FALSE(reads_whole(std::string_view(bytes).substr(0, n)));
    CHECK_FALSE(reads_whole(bytes + "x"));
}

TEST_CASE("hexadecimal reads back, and only pairs of digits do") {
    CHECK(cdp::from_hex(cdp::to_hex(std::string("\0\x7f\xff", 3))) == std::string("\0\x7f\xff", 3));
    CHECK(cdp::from_hex("0") == std::nullopt);
    CHECK(cdp::from_hex("0g") == std::nullopt);
}
