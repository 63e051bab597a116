#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "storage/recent_writes.h"
#include "storage/store.h"

namespace storage {

// A row to be written; no value erases.
struct Row {
    std::string_view key;
    std::optional<std::string_view> value;
};

// What an engine must do so that a Sequencer can make a Store of it. Called by one thread at a
// time.
class Engine {
public:
    virtual ~Engine() = default;

    // Writes the rows in order, all or none, durable when it returns. After an error the engine has
    // settled whether they are there; they do not turn up by themselves later in this process.
    virtual cdp::Result<void> apply(std::span<const Row> rows) = 0;

    // The value now, not in a snapshot.
    virtual cdp::Result<std::optional<std::string>> latest(std::string_view key) = 0;

    // Asked after a failed apply: `ok` when another may be tried.
    virtual Health recover() = 0;
};

// Gives commits their order: checks what each transaction read against what was written since,
// gives appends their indices, and hands the engine one batch. commit() and recover() belong to one
// thread at a time; the rest is safe from any.
//
// Why nothing is missed: a group's marks are recorded before its rows become visible, and its
// version is published after. A snapshot takes the published version first and the engine's
// snapshot then. So a row that a snapshot does not see was written by a group above the snapshot's
// version, and its mark says so before anybody can have seen the row. A group in flight may be seen
// or not: its mark is there already, and a reader retries without need.
class Sequencer {
public:
    explicit Sequencer(Engine& engine) : engine_(engine) {}

    // One group. A later transaction that read what an earlier one in the group writes conflicts.
    // Outcomes in order.
    std::vector<CommitOutcome> commit(std::span<const Transaction* const> group);

    // Asks the engine whether a failed disk works again. Nothing to do while health is ok.
    void recover();

    Version published() const { return published_.load(std::memory_order_acquire); }
    bool current(const ReadSet& reads) const;
    Health health() const { return health_.load(std::memory_order_relaxed); }
    Store::Counts counts() const;

private:
    // The rows of one group, and the bytes of those that the transactions do not own.
    struct Batch {
        std::vector<Row> rows;
        std::deque<std::string> texts;
    };

    CommitOutcome admit(const Transaction& transaction, Version version, Batch& batch);
    cdp::Result<void> load_indices(const Transaction& transaction);
    void add_next_indices(Batch& batch);
    void fail(std::span<CommitOutcome> outcomes, const cdp::Error& error);
    void count(std::span<const CommitOutcome> outcomes, const Batch& batch);

    Engine& engine_;
    RecentWrites recent_;
    std::atomic<std::uint64_t> groups_ = 0;
    std::atomic<std::uint64_t> transactions_ = 0;
    std::atomic<std::uint64_t> rows_ = 0;
    std::atomic<std::uint64_t> conflicts_ = 0;
    Version last_version_ = 0;
    std::atomic<Version> published_ = 0;
    std::atomic<Health> health_ = Health::ok;
    cdp::Error failure_;  // why health is not ok

    struct NextIndex {
        std::uint64_t next = 0;
        bool changed = false;  // by the group at hand
    };
    // Of every log written by this process; forgotten when a commit failed, for then only the
    // engine knows.
    std::map<std::string, NextIndex, std::less<>> next_indices_;
};

}  // namespace storage
