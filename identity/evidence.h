#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"
#include "identity/identifier.h"

namespace identity {

// Everything known about two identifiers having been seen together, as the fold reads it: a summary
// of the link's days (links.h). A join-semilattice: `join` is commutative, associative and
// idempotent, so neither order nor repetition of events can change it. It holds days of event time
// and never a counter, because at-least-once delivery must not change the answer.
struct Evidence {
    LinkClass link_class = LinkClass::probabilistic;  // the best of all observations
    std::int32_t first_day = 0;                       // UTC days since 1970, see cdp::day_of
    std::int32_t last_day = 0;
    std::uint64_t days =
        0;  // bit i: seen on last_day - i; days over 63 before the last are left out
    std::vector<std::uint32_t> sources;  // source hashes, sorted

    friend bool operator==(const Evidence&, const Evidence&) = default;
};

// The source of what no app said: that one identifier is the hash of another. Such a link has no
// days.
inline constexpr std::uint32_t kHashEquality = 0;

// What one event says about a pair.
Evidence observation(LinkClass link_class, cdp::Timestamp time, std::uint32_t source);

// Adds `more` to `into`; true when that changed it.
bool join(Evidence& into, const Evidence& more);

}  // namespace identity
