#pragma once

#include <cstddef>

#include "cdp/event.h"

namespace cdp {

// What is kept of an event beside its text: an identifier, a trait, a preference or a signal each.
// Most of them are a row.
inline std::size_t parts_of(const Event& event) {
    return event.identifiers.size() + event.traits.size() + event.group_traits.size() +
           event.preferences.size() + event.signals.size();
}

// Of a batch's events together, with what the envelope says written into each of them.
inline constexpr std::size_t kBatchPartsMax = 250'000;

}  // namespace cdp
