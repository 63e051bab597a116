#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace api {

// So many a second in the long run, and so many at once. per_second 0: no limit.
struct Rate {
    std::uint32_t per_second = 0;
    std::uint32_t burst = 0;
};

// How often each of many comes, in a memory of fixed size. When there are more than it has entries
// for, whoever has the most left gives way, which costs nobody but the limit anything: one who is
// being held back is displaced by a stranger only where all that share its place are held back.
// Safe from many threads.
class RateTable {
public:
    using Time = std::chrono::steady_clock::time_point;

    // 16 bytes an entry; their number is rounded up to a power of two.
    RateTable(const Rate& rate, std::size_t entries);

    // Takes one for `who`, a hash that nobody outside can aim. 0: granted; else the seconds after
    // which there is one to take, at most 60, and nothing is taken.
    std::uint32_t take(std::uint64_t who, Time now);

private:
    // The generic cell rate algorithm: one time says all there is to know of a bucket.
    struct Entry {
        std::uint64_t who = 0;
        std::int64_t full_at = 0;  // when its bucket will be full again, in ns of the steady clock
    };
    static constexpr std::size_t kWays = 8;
    static constexpr std::size_t kLocks = 64;
    using Set = std::array<Entry, kWays>;

    static Entry& entry_of(Set& set, std::uint64_t who);

    const std::int64_t interval_;           // in which one is added
    const std::int64_t burst_;              // in which a bucket is filled
    std::vector<Set> sets_;                 // none: no limit
    std::array<std::mutex, kLocks> locks_;  // each guards every 64th set
};

}  // namespace api
