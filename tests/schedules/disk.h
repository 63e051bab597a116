#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "cdp/base/random.h"
#include "storage/journal.h"
#include "storage/memory_rows.h"
#include "storage/store.h"
#include "tests/support/faulty_journal.h"

namespace tests {

// What goes wrong with a disk, once in so many commits; zero: never.
struct DiskFaults {
    std::uint64_t fail_one_in = 0;      // a group of commits is answered `unknown`
    std::uint64_t conflict_one_in = 0;  // a transaction is told to read again without need
    std::uint64_t lie_one_in = 0;       // a group is answered `ok` and is not there
    std::size_t group_max = 500;        // transactions
};

// The rows and the journal that outlive a process. Its stores are the real sequencer and committer
// on rows in memory, and take simulated time.
class Disk {
public:
    explicit Disk(std::uint64_t seed) : random_(seed) {}

    // For one process at a time; it ends before the next begins.
    std::unique_ptr<storage::Store> open(const DiskFaults& faults);
    std::unique_ptr<storage::Journal> journal() { return journal_.hand_over(); }

    // As if the process were killed here: what is being written is there whole or not at all,
    // nothing that comes later is.
    void crash();
    bool crashed() const { return crashed_; }
    // Before the next process begins.
    void start_again();

    struct Counts {
        std::uint64_t failed = 0;           // groups, of which
        std::uint64_t failed_whole = 0;     // the rows were there nevertheless
        std::uint64_t crashed_halfway = 0;  // alike, when the process ended
    };
    const Counts& counts() const { return counts_; }

private:
    friend class FaultyRows;

    storage::MemoryRows rows_;
    FaultyJournal journal_;
    cdp::Random random_;
    std::atomic<bool> crashed_ = false;
    Counts counts_;
};

}  // namespace tests
