#include "cdp/event_time.h"

#include <cmath>

namespace cdp {
namespace {

// Clocks that differ by less are left alone: the delay of a batch would be mistaken for a
// difference.
constexpr std::chrono::minutes kClockDifferenceMax{10};

}  // namespace

EventTime fix_time(const ClaimedTime& claimed, Timestamp received, bool import) {
    if (!claimed.present) return {received, TimeNote::absent};
    if (!claimed.time) return {received, TimeNote::unreadable};

    Timestamp time = *claimed.time;
    TimeNote note = TimeNote::as_claimed;
    if (claimed.sent && !import &&
        std::chrono::abs(received - *claimed.sent) > kClockDifferenceMax) {
        time = received - (*claimed.sent - time);
        note = TimeNote::corrected;
    }
    if (time > received) return {received, TimeNote::in_future};
    if (time < Timestamp{}) return {received, TimeNote::before_1970};
    return {time, note};
}

std::optional<Timestamp> time_of_number(double milliseconds) {
    constexpr double kYear1 = -62'135'596'800'000;
    constexpr double kYear10000 = 253'402'300'800'000;
    if (!(milliseconds >= kYear1 && milliseconds < kYear10000)) return std::nullopt;
    return timestamp_of(static_cast<std::int64_t>(std::floor(milliseconds)));
}

}  // namespace cdp
