#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cdp {

// Milliseconds since 1970-01-01T00:00:00Z.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

inline Timestamp timestamp_of(std::int64_t milliseconds) {
    return Timestamp{std::chrono::milliseconds{milliseconds}};
}
inline std::int64_t milliseconds_of(Timestamp time) {
    return time.time_since_epoch().count();
}

// UTC days since 1970-01-01, rounded down.
std::int32_t day_of(Timestamp time);

// RFC 3339 date-time, and the variants SDKs send: any number of fraction digits (cut to
// milliseconds), `Z` or an offset, a space for `T`, lower case; a bare date is its midnight UTC.
// Years 1 to 9999. nullopt for anything else.
std::optional<Timestamp> parse_time(std::string_view text);

// 2026-11-21T18:24:49.034Z
std::string format_time(Timestamp time);
// 2026-11-21, of a day as day_of counts them
std::string format_day(std::int32_t day);

}  // namespace cdp
