#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"
#include "storage/store.h"

namespace identity {

// What an observation says, apart from its moment within the day: who was seen, how surely, by
// which source, on which day.
using Saying = cdp::Id<struct SayingTag>;

// Sayings whose every word is stored, and what that rests on. Somebody browsing says the same thing
// all day; while nothing it rests on has changed, saying it again needs no read. Bounded:
// forgetting one costs the reads. Safe to use from many threads.
class QuietSayings {
public:
    struct Ground {
        storage::ReadSet reads;   // the nodes and links
        cdp::Timestamp earliest;  // an earlier moment would move somebody's first_seen
    };

    std::optional<Ground> find(const Saying& saying);
    void add(const Saying& saying, Ground ground);

private:
    static constexpr std::size_t kShards = 16;
    static constexpr std::size_t kGenerationMax = 128 * 1024 / kShards;

    // Two generations: what is used moves to the young one, the old one is dropped whole.
    struct Shard {
        std::mutex mutex;  // both maps
        std::unordered_map<Saying, Ground> young;
        std::unordered_map<Saying, Ground> old;
    };

    // The tables hash by the first bytes.
    Shard& shard_of(const Saying& saying) { return shards_[saying.bytes[15] % kShards]; }
    static void keep(Shard& shard, const Saying& saying, Ground ground);

    std::array<Shard, kShards> shards_;
};

}  // namespace identity
