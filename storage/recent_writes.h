#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "storage/store.h"

namespace storage {

// When each mark (storage/marks.h) was last written, as far as a bounded table remembers: an answer
// may be too late, never too early.
//
// One writer, any number of readers, no locks. A reader that runs beside a record() answers as of
// some moment during its call.
class RecentWrites {
public:
    // `buckets` is a power of two; each takes 64 bytes once it is touched and remembers seven
    // marks. The default is 16 MB, a few seconds of full load.
    explicit RecentWrites(std::size_t buckets = std::size_t{1} << 18);

    // The writer's. Versions never go down.
    void record(std::uint64_t mark, Version version);

    // At least the version of the last record() of this mark.
    Version last(std::uint64_t mark) const;

private:
    static constexpr std::size_t kEntries = 7;

    // An entry holds 24 bits of the mark above 40 bits of version; zero is empty. `floor` is the
    // highest version that was ever evicted: what a mark that is not found is assumed to have.
    struct alignas(64) Bucket {
        std::uint64_t floor;
        std::uint64_t entries[kEntries];
    };
    struct Free {
        void operator()(void* memory) const;
    };

    Bucket& bucket_of(std::uint64_t mark) const;

    // Zeroed memory that the system hands out page by page when it is touched; read and written
    // only through std::atomic_ref.
    std::unique_ptr<void, Free> memory_;
    Bucket* buckets_ = nullptr;
    std::size_t mask_;
};

}  // namespace storage
