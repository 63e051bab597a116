#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "cdp/retention_home.h"

// What retention would take, before it does; private to cdp/retention*.cc.
namespace cdp {

struct RetentionForecast {
    PrunedByRule now = {};         // what has passed, and no run has reached yet
    PrunedByRule soon = {};        // within the time asked for, besides
    std::uint64_t rows = 0;        // looked at
    std::uint64_t unreadable = 0;  // of those
    bool estimated = false;        // from those, for there are more
};

// How much is looked at.
struct ForecastBounds {
    std::uint64_t rows_max = 0;                   // also of one home that has more
    const std::atomic<bool>* stopping = nullptr;  // error stopping, once it is true
};

// Of everything filed, or of the first rows of homes, which are in order of keyed hashes and thus a
// fair sample.
Result<RetentionForecast> forecast(const HomeRetention::Needs& needs,
                                   const storage::Snapshot& snapshot, Timestamp now,
                                   std::chrono::days ahead, const ForecastBounds& bounds);

// The next identifier, in order, under which there are events or something was put right; nullopt:
// there is none.
Result<std::optional<Token>> home_after(const storage::Snapshot& snapshot,
                                        const std::optional<Token>& token);

}  // namespace cdp
