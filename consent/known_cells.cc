#include "consent/known_cells.h"

#include <utility>

namespace consent {
namespace {

// No request reads a snapshot for so long.
constexpr std::chrono::minutes kSnapshotsEnd{1};

}  // namespace

std::optional<cdp::Timestamp> KnownCells::find(const cdp::RecordId& cell) {
    Shard& shard = shard_of(cell);
    const std::lock_guard lock(shard.mutex);
    if (const auto found = shard.young.find(cell); found != shard.young.end()) return found->second;
    const auto found = shard.old.find(cell);
    if (found == shard.old.end()) return std::nullopt;
    const auto first = found->second;
    keep(shard, cell, first);
    return first;
}

void KnownCells::add(const cdp::RecordId& cell, cdp::Timestamp first) {
    Shard& shard = shard_of(cell);
    const std::lock_guard lock(shard.mutex);
    keep(shard, cell, first);
}

void KnownCells::learn(const cdp::RecordId& cell, cdp::Timestamp first) {
    Shard& shard = shard_of(cell);
    // Asked for under the lock: a shard that was not cleared yet is cleared afterwards.
    const std::lock_guard lock(shard.mutex);
    if (std::chrono::steady_clock::now() >= learns_from_.load()) keep(shard, cell, first);
}

void KnownCells::clear() {
    learns_from_ = std::chrono::steady_clock::now() + kSnapshotsEnd;
    for (Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        shard.young.clear();
        shard.old.clear();
    }
}

void KnownCells::keep(Shard& shard, const cdp::RecordId& cell, cdp::Timestamp first) const {
    if (shard.young.size() >= generation_max_) {
        shard.old = std::move(shard.young);
        shard.young.clear();
    }
    shard.young.insert_or_assign(cell, first);
}

}  // namespace consent
