#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "cdp/base/time.h"
#include "cdp/config.h"
#include "cdp/event.h"
#include "cdp/retention_rule.h"

// When a datum is no longer kept, by the configuration and the datum's own time alone: nothing here
// reads a clock or a store. docs/decisions/0034.
namespace cdp {

struct Expiry {
    Timestamp at{};        // from here on it is as good as gone
    std::size_t rule = 0;  // that says so, in Config::retention

    friend bool operator==(const Expiry&, const Expiry&) = default;
};

// A whole event, by its type, its labels and, of a track event, its name: pages and screens have
// titles. nullopt: kept until somebody is erased; so below.
std::optional<Expiry> event_expiry(const Config& config, EventType type, std::string_view name,
                                   Timestamp time);
// One property of an event, by its own labels. When its event expires it goes too.
std::optional<Expiry> property_expiry(const Config& config, std::string_view name, Timestamp time);
// A trait, by its name and labels; in an event as well.
std::optional<Expiry> trait_expiry(const Config& config, std::string_view name, Timestamp time);

inline bool is_past(const std::optional<Expiry>& expiry, Timestamp now) {
    return expiry && expiry->at <= now;
}

// The same day of a later month, its last day when it has none such; or so many days later.
// Timestamp::max() beyond the year 9999.
Timestamp after(Timestamp time, const Keep& keep);
// Whether some rule may be about less than an event: only then need one be read to tell what of it
// has passed.
bool has_rules_of_parts(const Config& config);

// No time above this has passed by `now`; some below may not have either.
Timestamp latest_past(Timestamp now, const Keep& keep);

// `13 months`, `90 days`, `2 years`; from a day to a hundred years. nullopt: anything else.
std::optional<Keep> parse_keep(std::string_view text);
std::string to_string(const Keep& keep);
std::string_view to_string(RetentionRule::What value);

}  // namespace cdp
