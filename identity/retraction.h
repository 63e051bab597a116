#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "identity/links.h"

namespace identity {

// Which links a retraction takes away: those of one source, or of all, on these UTC days.
struct Retraction {
    std::optional<std::uint32_t> source;
    std::int32_t first_day = std::numeric_limits<std::int32_t>::min();
    std::int32_t last_day = std::numeric_limits<std::int32_t>::max();

    // The days of a row that it takes.
    std::uint64_t days_of(const LinkDays& row) const;
    bool covers(std::uint32_t of_source, std::int32_t day) const;

    friend bool operator==(const Retraction&, const Retraction&) = default;
};

}  // namespace identity
