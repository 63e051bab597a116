#pragma once

#include <cstdint>
#include <optional>
#include <unordered_set>
#include <vector>

#include "identity/change.h"
#include "identity/component.h"
#include "identity/upkeep.h"
#include "storage/snapshot.h"

namespace identity {

// Which identifiers are folded: all, those named, or a part of all that is the same every time.
struct Sample {
    std::vector<cdp::Token> identifiers = {};  // with everything they are connected to
    double part = 1.0;                         // over 0, up to 1
};

// What other rules would make of the stored evidence.
struct Simulated {
    std::uint64_t identifiers = 0;  // folded
    std::uint64_t persons_before = 0;
    std::uint64_t persons_after = 0;
    std::uint64_t shared_before = 0;  // identifiers that belong to nobody
    std::uint64_t shared_after = 0;
    // By kind of change.
    std::uint64_t merged = 0;
    std::uint64_t split = 0;
    std::uint64_t moved = 0;
    std::uint64_t redirected = 0;
    std::vector<Change> examples;  // at most as many as asked for of each kind
};

// Folds the evidence of a snapshot under other rules and compares with what is stored; changes
// nothing. `unavailable` when the report stops it.
cdp::Result<Simulated> simulate(const storage::Snapshot& snapshot, const Rules& rules,
                                const Sample& sample, std::size_t examples_of_each,
                                const Report& report);

}  // namespace identity
