#include "storage/recent_writes.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <new>

#include "cdp/base/assert.h"

namespace storage {
namespace {

constexpr int kVersionBits = 40;  // a thousand commits a second for 34 years
constexpr std::uint64_t kVersionMask = (std::uint64_t{1} << kVersionBits) - 1;

std::uint64_t tag_of(std::uint64_t n) {
    return n & ~kVersionMask;
}

}  // namespace

RecentWrites::RecentWrites(std::size_t buckets) : mask_(buckets - 1) {
    CDP_ASSERT(std::has_single_bit(buckets));
    // calloc, because a vector would touch every page. One bucket more leaves room to align.
    memory_.reset(std::calloc(buckets + 1, sizeof(Bucket)));
    if (!memory_) throw std::bad_alloc();
    std::size_t space = (buckets + 1) * sizeof(Bucket);
    void* start = memory_.get();
    buckets_ =
        static_cast<Bucket*>(std::align(alignof(Bucket), buckets * sizeof(Bucket), start, space));
    CDP_ASSERT(buckets_ != nullptr);
}

void RecentWrites::Free::operator()(void* memory) const {
    std::free(memory);
}

RecentWrites::Bucket& RecentWrites::bucket_of(std::uint64_t mark) const {
    // The lowest bit tells keys from groups and is no hash; the highest 24 are the tag.
    return buckets_[(mark >> 1) & mask_];
}

void RecentWrites::record(std::uint64_t mark, Version version) {
    CDP_ASSERT(version > 0 && version <= kVersionMask);
    Bucket& bucket = bucket_of(mark);

    std::uint64_t* place = nullptr;
    for (std::uint64_t& entry : bucket.entries) {
        const auto held = std::atomic_ref(entry).load(std::memory_order_relaxed);
        if (held == 0 || tag_of(held) == tag_of(mark)) {
            place = &entry;
            break;
        }
        if (!place || (held & kVersionMask) < (*place & kVersionMask)) place = &entry;
    }

    const auto evicted = std::atomic_ref(*place).load(std::memory_order_relaxed);
    if (evicted != 0 && tag_of(evicted) != tag_of(mark)) {
        // Before the entry goes: a reader that finds it gone must find it in the floor.
        std::atomic_ref floor(bucket.floor);
        floor.store(std::max(floor.load(std::memory_order_relaxed), evicted & kVersionMask),
                    std::memory_order_release);
    }
    std::atomic_ref(*place).store(tag_of(mark) | version, std::memory_order_release);
}

Version RecentWrites::last(std::uint64_t mark) const {
    Bucket& bucket = bucket_of(mark);
    for (std::uint64_t& entry : bucket.entries) {
        const auto held = std::atomic_ref(entry).load(std::memory_order_acquire);
        if (held != 0 && tag_of(held) == tag_of(mark)) return held & kVersionMask;
    }
    // After the entries: whoever replaced the one we looked for has raised the floor before.
    return std::atomic_ref(bucket.floor).load(std::memory_order_acquire);
}

}  // namespace storage
