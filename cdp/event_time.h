#pragma once

#include <cstdint>
#include <optional>

#include "cdp/base/time.h"

namespace cdp {

// What one event says about when it happened.
struct ClaimedTime {
    bool present = false;           // the event has a time at all
    std::optional<Timestamp> time;  // nullopt: absent or unreadable
    std::optional<Timestamp> sent;  // by the clock that read `time`
};

enum class TimeNote : std::uint8_t {
    as_claimed,
    absent,
    corrected,  // by the difference of the clocks
    in_future,
    unreadable,
    before_1970,
};

struct EventTime {
    Timestamp time{};
    TimeNote note = TimeNote::absent;
};

// When an event happened, fixed for good (DESIGN section 4). Never later than `received`, never
// before 1970: where the claim is either, or is none, the time of receipt stands. `import` keeps
// the client's clock, because history is sent long after it happened.
EventTime fix_time(const ClaimedTime& claimed, Timestamp received, bool import);

// Epoch milliseconds as a time, nullopt outside the years 1 to 9999.
std::optional<Timestamp> time_of_number(double milliseconds);

}  // namespace cdp
