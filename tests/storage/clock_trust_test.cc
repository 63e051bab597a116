#include "storage/clock_trust.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "cdp/base/random.h"
#include "tests/support/seeds.h"

namespace {

using namespace std::chrono_literals;
using storage::ClockTrust;
using days = std::chrono::days;

constexpr auto kYears = days(3650);
const cdp::Timestamp kStart = *cdp::parse_time("2026-11-21T12:00:00Z");

// A machine: real time, and what its clock is set to beside it.
struct Machine {
    cdp::Timestamp truth = kStart;
    std::chrono::milliseconds off{0};
    bool vouched = false;
    ClockTrust trust{kStart};

    // Lets so much time pass, in such pieces.
    void run(std::chrono::milliseconds length, std::chrono::milliseconds piece = 1min) {
        for (; length > 0ms; length -= piece) {
            truth += piece;
            trust.look({.clock = truth + off, .passed = piece, .vouched = vouched});
        }
    }
    // The process is off for so long, and knows no more than how far it had come.
    void restart_after(std::chrono::milliseconds length) {
        truth += length;
        trust = ClockTrust(trust.trusted());
        trust.look({.clock = truth + off});
    }
    std::chrono::milliseconds early() const { return trust.trusted() - truth; }
};

}  // namespace

TEST_CASE("a clock that runs as time does is trusted, also after a day off") {
    Machine machine;
    machine.run(3h);
    CHECK(machine.early() == 0ms);
    machine.restart_after(24h);
    CHECK(machine.early() == 0ms);
    CHECK(machine.trust.believed());
    CHECK(machine.trust.skew() == 0ms);
}

TEST_CASE("a clock that leaps years ahead is not believed, and time goes on as it passes") {
    Machine machine;
    machine.run(1h);
    machine.off = kYears;
    machine.run(5h);
    CHECK_FALSE(machine.trust.believed());
    CHECK(machine.early() == 0ms);
    CHECK(machine.trust.skew() == -std::chrono::milliseconds(kYears));
    machine.off = 0ms;
    machine.run(1min);
    CHECK(machine.trust.believed());
    CHECK(machine.early() == 0ms);
}

TEST_CASE("no number of starts under a clock that is ahead makes it believed") {
    Machine machine;
    machine.off = kYears;
    for (int start = 0; start < 1'000; ++start) {
        machine.restart_after(1min);
        machine.run(1min);
    }
    CHECK_FALSE(machine.trust.believed());
    CHECK(machine.early() <= 0ms);
    // What it was off for is not seen to pass.
    CHECK(machine.early() == -1'000min);
}

TEST_CASE("a clock that is behind stops time, and one that is set right again is believed") {
    Machine machine;
    machine.off = cdp::timestamp_of(10'000) - kStart;  // 1970
    machine.run(days(5), 1h);
    CHECK(machine.trust.believed());
    CHECK(machine.trust.trusted() == kStart);
    CHECK(machine.trust.skew() > 0ms);
    machine.off = 0ms;
    machine.run(1min);
    CHECK(machine.trust.believed());
    CHECK(machine.early() == 0ms);
}

TEST_CASE("who was off for a month is believed once a time service has stood by the clock") {
    Machine machine;
    machine.restart_after(days(30));
    machine.run(days(2), 1h);
    CHECK_FALSE(machine.trust.believed());
    CHECK(machine.early() == -days(30));
    machine.vouched = true;
    machine.run(ClockTrust::kVouchedFor - 1min);
    CHECK_FALSE(machine.trust.believed());
    machine.run(2min);
    CHECK(machine.trust.believed());
    CHECK(machine.early() == 0ms);
}

TEST_CASE("no time service is believed for a clock that is set meanwhile, or that is years ahead") {
    Machine set;
    set.vouched = true;
    set.off = days(30);
    for (int hour = 0; hour < 100; ++hour) {
        set.run(1h);
        set.off += 1min;
    }
    CHECK_FALSE(set.trust.believed());
    CHECK(set.early() == 0ms);

    Machine years;
    years.vouched = true;
    years.off = kYears;
    years.run(days(30), 1h);
    CHECK_FALSE(years.trust.believed());
    CHECK(years.early() == 0ms);
}

TEST_CASE("what an operator accepts is trusted, ahead or back") {
    Machine machine;
    machine.off = kYears;
    machine.run(1h);
    machine.trust.accept(machine.truth + machine.off);
    machine.run(1h);
    CHECK(machine.trust.believed());
    CHECK(machine.early() == kYears);
    machine.off = 0ms;
    machine.trust.accept(machine.truth);
    machine.run(1h);
    CHECK(machine.early() == 0ms);
}

TEST_CASE("whatever one wrong clock does, by nothing but time comes more than a leap too early") {
    const auto seed = GENERATE(tests::seeds(300));
    CAPTURE(seed);
    cdp::Random random{seed};
    Machine machine;
    const std::chrono::milliseconds reach = random.one_in(2) ? kYears : days(3);
    const auto wrong = std::chrono::milliseconds(static_cast<std::int64_t>(
                           random.below(2 * static_cast<std::uint64_t>(reach.count())))) -
                       reach;
    auto highest = machine.trust.trusted();
    for (int step = 0; step < 200; ++step) {
        switch (random.below(4)) {
            case 0: machine.off = random.one_in(2) ? wrong : 0ms; break;
            case 1: machine.restart_after(std::chrono::minutes(random.below(3'000))); break;
            default: machine.run(std::chrono::minutes(1 + random.below(600)), 10min);
        }
        CHECK(machine.early() <= std::clamp<std::chrono::milliseconds>(wrong, 0ms, 24h));
        CHECK(machine.trust.trusted() >= highest);
        highest = machine.trust.trusted();
    }
}
