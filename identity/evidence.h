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

// Everything known about two identifiers having been seen together. A join-semilattice: `join` is
// commutative, associative and idempotent, so neither order nor repetition of events can change
// what is stored. It holds days of event time and never a counter, because at-least-once delivery
// must not change the answer. Sample events are not kept: the events themselves are filed under
// both ends, and a row that changes with every event would make everybody's events wait for each
// other.
struct Evidence {
    LinkClass link_class = LinkClass::probabilistic;  // the best of all observations
    std::int32_t first_day = 0;                       // UTC days since 1970, see cdp::day_of
    std::int32_t last_day = 0;
    std::uint64_t days =
        0;  // bit i: seen on last_day - i; days over 63 before the last are forgotten
    std::vector<std::uint32_t> sources;  // the kSourcesMax smallest source hashes, sorted

    friend bool operator==(const Evidence&, const Evidence&) = default;
};

inline constexpr std::size_t kSourcesMax = 8;

// What one event says about a pair.
Evidence observation(LinkClass link_class, cdp::Timestamp time, std::uint32_t source);

// Adds `more` to `into`; true when that changed it.
bool join(Evidence& into, const Evidence& more);

std::string encode(const Evidence& evidence);
// nullopt when the bytes are not what encode wrote.
std::optional<Evidence> decode_evidence(std::string_view bytes);

}  // namespace identity
