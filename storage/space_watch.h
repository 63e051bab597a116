#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "storage/beat.h"
#include "storage/file.h"
#include "storage/store.h"

namespace storage {

// What is to stay free for what must be written on a disk that is nearly full.
struct Reserve {
    std::uint64_t bytes = 0;   // 0: none is kept
    unsigned percent_max = 5;  // of the file system: of a small one less is kept
};

// How much there is on a file system for whoever is not root, and how much is to stay.
struct Room {
    std::uint64_t bytes = 0;
    std::uint64_t bytes_kept = 0;
    std::uint64_t files = 0;  // inodes
    std::uint64_t files_kept = 0;
    bool low = false;
};
// Pure. It becomes low when less is left than is to stay, and is until a quarter more is.
Room judged(Room room, bool was_low);

// So many percent of it.
std::uint64_t part_of(std::uint64_t whole, unsigned percent);

// Looks every second how much is left. Safe to use from many threads.
class SpaceWatch {
public:
    explicit SpaceWatch(const std::string& folder);
    SpaceWatch(const SpaceWatch&) = delete;
    SpaceWatch& operator=(const SpaceWatch&) = delete;

    // From now on, and first before it returns. Once.
    void keep(const Reserve& reserve);

    // Costs nothing: as of the last look. Never while no reserve is kept.
    bool low() const { return low_.load(std::memory_order_relaxed); }
    Room room() const;

private:
    void look();

    const Descriptor folder_;
    Reserve reserve_;
    mutable std::mutex mutex_;
    Room room_;
    std::atomic<bool> low_ = false;
    std::unique_ptr<Beat> beat_;  // last: it uses all of the above
};

// No more is to be stored than must be. A store in memory has no such bound.
bool low_on_space(const Store& store);

}  // namespace storage
