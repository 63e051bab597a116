#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"

// The narrow waist: an ordered map from bytes to bytes that survives crashes, read through
// snapshots and changed by optimistic transactions. Nothing here is special to one engine.
//
// Every key starts with a u16 partition, then a Space byte (storage/key.h). Limits that keep every
// engine open: key <= 1 kB, value <= 64 kB.
namespace storage {

// Counts commits of this process; comparable only within it.
using Version = std::uint64_t;
using Partition = std::uint16_t;

inline constexpr std::size_t kKeyBytesMax = 1024;
inline constexpr std::size_t kValueBytesMax = 64 * 1024;

// Return false to stop the scan. The views die when the visit returns.
using Visit = std::function<bool(std::string_view key, std::string_view value)>;

// The store at one moment. Safe to use from many threads; must not outlive its store. Calls may
// wait for the disk. "Not there" is nullopt; an Error means the bytes could not be read or are
// damaged, and a scan never ends early without one.
class Snapshot {
public:
    virtual ~Snapshot() = default;

    // All commits up to here are in the snapshot; later ones may be.
    virtual Version version() const = 0;

    virtual cdp::Result<std::optional<std::string>> get(std::string_view key) const = 0;

    // Values in the order of `keys`.
    virtual cdp::Result<std::vector<std::optional<std::string>>> multi_get(
        std::span<const std::string> keys) const = 0;

    // Visits the pairs under `prefix` whose key is >= `from`, in byte order of the keys. An empty
    // `from` starts at the prefix.
    virtual cdp::Result<void> scan(std::string_view prefix, std::string_view from,
                                   const Visit& visit) const = 0;
};

// What was read, so that it can be asked later whether it still holds. A scanned prefix counts as
// one key: any write below it makes the set stale.
class ReadSet {
public:
    explicit ReadSet(Version version = 0) : version_(version) {}

    void add_key(std::string_view key);
    // `prefix` must hold at least kGroupBytes (storage/key.h); what is tracked is its group.
    void add_prefix(std::string_view prefix);
    void add(const ReadSet& other) {
        marks_.insert(marks_.end(), other.marks_.begin(), other.marks_.end());
    }
    void set_version(Version version) { version_ = version; }

    Version version() const { return version_; }
    std::span<const std::uint64_t> marks() const { return marks_; }

private:
    Version version_;
    std::vector<std::uint64_t> marks_;
};

// A row to be appended to a log: the store gives it the next index of that log at commit.
struct Append {
    std::string log;  // key prefix of the log's rows; the index follows as 8 bytes big-endian
    std::string value;
};

// Reads from one snapshot and remembers what it read; collects writes and sees its own. Belongs to
// one partition and one thread at a time. The snapshot must outlive the reading, not the commit.
class Transaction {
public:
    Transaction(const Snapshot& snapshot, Partition partition);

    cdp::Result<std::optional<std::string>> get(std::string_view key);
    cdp::Result<std::vector<std::optional<std::string>>> multi_get(
        std::span<const std::string> keys);
    // Own writes included. `prefix` must hold at least kGroupBytes.
    cdp::Result<void> scan(std::string_view prefix, const Visit& visit);

    // Counts a prefix as scanned that was read from the snapshot itself.
    void watch(std::string_view prefix) { reads_.add_prefix(prefix); }

    // Counts as read what an earlier read set holds. The caller has asked the store, after taking
    // the snapshot, whether that set is current.
    void rely_on(const ReadSet& earlier) { reads_.add(earlier); }

    void put(std::string key, std::string value);
    void erase(std::string key);
    void append(std::string log, std::string value);

    // Nothing to write.
    bool empty() const { return writes_.empty() && appends_.empty(); }

    struct Write {
        std::string key;
        std::optional<std::string> value;  // nullopt erases
    };

    const ReadSet& reads() const { return reads_; }
    // One entry per key, in the order of the first write; the last value wins.
    std::span<const Write> writes() const { return writes_; }
    std::span<const Append> appends() const { return appends_; }
    Partition partition() const { return partition_; }

    // For the committer: what a conflict check must know of the writes, and what they weigh.
    std::span<const std::uint64_t> key_marks() const { return key_marks_; }
    std::span<const std::uint64_t> group_marks() const { return group_marks_; }
    std::size_t bytes() const { return bytes_; }

private:
    const Write* own(std::string_view key) const;
    void write(std::string key, std::optional<std::string> value);
    void add_group_mark(std::string_view key);

    const Snapshot* snapshot_;
    Partition partition_;
    ReadSet reads_;
    std::vector<Write> writes_;
    std::vector<Append> appends_;
    std::vector<std::uint64_t> key_marks_ = {};  // of writes_, one each
    std::vector<std::uint64_t> group_marks_ = {};
    std::size_t bytes_ = 0;
};

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
