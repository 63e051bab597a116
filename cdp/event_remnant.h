#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/config.h"
#include "cdp/event.h"
#include "cdp/facts.h"

// What is left of events whose time is up; docs/decisions/0034. Pure.
namespace cdp {

// Who was named, what an alias call meant, the group, and what was said of consent; read again, it
// says of these what `event` says. `read` is what it was read as.
StoredEvent remnant_of(const StoredEvent& event, const Event& read);

// A remnant that others were merged into, which said the same. To retract it takes nothing back:
// they said it too.
StoredEvent standing_for_several(StoredEvent remnant);
bool stands_for_several(const StoredEvent& event);
// What remnants of one home and day that may be merged have in common.
std::string what_it_says(const StoredEvent& remnant);

// Whether it says anything of consent: then its moment may matter.
inline bool has_stamps(const Event& read) {
    return !read.preferences.empty() || !read.signals.empty();
}

// Parts of an event that are past their time, by name: properties however deep they are, traits as
// a whole.
struct ExpiredParts {
    std::function<bool(std::string_view name)> property;
    std::function<bool(std::string_view name)> trait;
};
struct Shortened {
    StoredEvent event;
    std::vector<std::string> properties = {};  // that were taken out, by name
    std::vector<Trait> traits = {};            // of the person, as `read` has them
};
// The event without them. It names whom it named. nullopt: it has none of them.
std::optional<Shortened> without(const StoredEvent& event, const Event& read,
                                 const ExpiredParts& parts, const Config& config);

// As a reader may see it by `now`: without what is past its time. nullopt: nothing is left.
std::optional<StoredEvent> unexpired(StoredEvent event, Timestamp time, Timestamp now,
                                     const Config& config);

}  // namespace cdp
