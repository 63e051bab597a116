#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "storage/snapshot.h"
#include "storage/transaction.h"

// The narrow waist: an ordered map from bytes to bytes that survives crashes, read through
// snapshots and changed by optimistic transactions. Nothing here is special to one engine.
//
// Every key starts with a u16 partition, then a Space byte (storage/key.h). Limits that keep every
// engine open: key <= 1 kB, value <= 64 kB.
namespace storage {

enum class CommitState {
    ok,        // on disk, fsynced, visible to every snapshot taken from now on
    conflict,  // something read has changed since; nothing was written; read again and retry
    unknown,   // the disk failed: written whole or not at all, only reading back can tell
};

struct CommitOutcome {
    CommitState state = CommitState::unknown;
    cdp::Error error = {};                  // why it is unknown
    std::vector<std::uint64_t> appended{};  // the index each append was given, in order
    Version version = 0;                    // of the group it was written in
};

using Committed = std::function<void(std::vector<CommitOutcome>)>;

enum class Health { ok, read_only, failed };

// Safe to use from many threads.
class Store {
public:
    virtual ~Store() = default;

    virtual std::unique_ptr<Snapshot> snapshot() const = 0;

    // Commits each transaction on its own: one may conflict while its neighbours succeed.
    // Transactions that wait together share one fsync. `done` is called once, from the committer's
    // thread, with the outcomes in order; it must not block. A transaction that names a key outside
    // its partition, or over the limits, is a bug of ours.
    virtual void commit(std::vector<Transaction> transactions, Committed done) = 0;

    // Nothing in the set has changed since it was read. May say no without need, never yes wrongly.
    virtual bool current(const ReadSet& reads) const = 0;

    // What was committed since the store was opened. One group is one fsync.
    struct Counts {
        std::uint64_t groups = 0;
        std::uint64_t transactions = 0;
        std::uint64_t rows = 0;
        std::uint64_t conflicts = 0;
    };
    virtual Counts counts() const = 0;

    // How many transactions wait for the disk: callers refuse new work above a limit of theirs.
    virtual std::size_t waiting() const = 0;

    virtual Health health() const = 0;
};

// How many rows were appended to a log by the time of the snapshot: the index the next one gets.
cdp::Result<std::uint64_t> log_size(const Snapshot& snapshot, std::string_view log);

// Commits one transaction and waits. Not for threads that serve the network.
CommitOutcome commit_and_wait(Store& store, Transaction transaction);

}  // namespace storage
