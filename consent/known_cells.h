#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"

namespace consent {

// Cells that were seen committed, and the first moment each had then: a later stamp of the same
// cell has nothing to add. Forgetting one costs a read, so the oldest half goes when it is full.
// Safe to use from many threads.
class KnownCells {
public:
    explicit KnownCells(std::size_t cells_max) : generation_max_(cells_max / kShards / 2 + 1) {}

    std::optional<cdp::Timestamp> find(const cdp::RecordId& cell);
    // A cell that was committed just now.
    void add(const cdp::RecordId& cell, cdp::Timestamp first);
    // One that was found by reading. For a minute after `clear` nothing is learnt so: the snapshot
    // may be from before, and what was read be gone.
    void learn(const cdp::RecordId& cell, cdp::Timestamp first);
    // All of them, whoever's they are: it costs each a read, and happens as often as erasures.
    void clear();

private:
    static constexpr std::size_t kShards = 16;

    // Two generations: what is used moves to the young one, the old one is dropped whole.
    struct Shard {
        std::mutex mutex;  // both maps
        std::unordered_map<cdp::RecordId, cdp::Timestamp> young;
        std::unordered_map<cdp::RecordId, cdp::Timestamp> old;
    };

    // The tables hash by the first bytes.
    Shard& shard_of(const cdp::RecordId& cell) { return shards_[cell.bytes[15] % kShards]; }
    void keep(Shard& shard, const cdp::RecordId& cell, cdp::Timestamp first) const;

    std::size_t generation_max_;
    std::atomic<std::chrono::steady_clock::time_point> learns_from_{};
    std::array<Shard, kShards> shards_;
};

}  // namespace consent
