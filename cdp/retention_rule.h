#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cdp {

// How long, in calendar months (UTC) or in days of 24 hours; one of them is 0.
struct Keep {
    std::int32_t months = 0;
    std::int32_t days = 0;

    friend bool operator==(const Keep&, const Keep&) = default;
};

// How long a class of data is kept after it happened; docs/decisions/0034.
struct RetentionRule {
    // From the narrowest to the widest: of rules that speak of one datum the narrower holds.
    enum class What : std::uint8_t { trait, event, label, type };

    What what = What::event;
    // Of a trait, a label or a type of events; of events an exact name, or a prefix and `*`.
    std::string name = {};
    Keep keep = {};
    std::string purpose = {};  // data collected for it; empty: whatever for

    friend bool operator==(const RetentionRule&, const RetentionRule&) = default;
};

using RetentionRules = std::vector<RetentionRule>;

}  // namespace cdp
