#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"

namespace identity {

// On disk and on the wire: never renumber.
enum class AssertionKind : std::uint8_t {
    must_link = 1,  // two identifiers are one person, also against a unique type
    cannot_link,    // two identifiers are not one person, whatever else says so
    block,          // an identifier joins nobody and nothing is concluded from it
    shared,         // an identifier is several people's
    retract,        // links do not count: of a source in a range of days, of a pair, of events
};

std::string_view to_string(AssertionKind value);
std::optional<AssertionKind> parse_assertion_kind(std::string_view name);

// Sorts the newest first: 8 bytes of complemented time, 8 of chance.
using AssertionId = cdp::Id<struct AssertionTag>;
AssertionId new_assertion_id(cdp::Timestamp time, std::string_view eight_random_bytes);

}  // namespace identity
