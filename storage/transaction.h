#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/snapshot.h"

namespace storage {

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
    std::vector<Write> own_under(std::string_view prefix) const;  // in order of keys
    void index_from(std::size_t first);
    void write(std::string key, std::optional<std::string> value);
    void add_group_mark(std::string_view key);

    const Snapshot* snapshot_;
    Partition partition_;
    ReadSet reads_;
    std::vector<Write> writes_;
    std::vector<Append> appends_;
    std::map<std::string, std::size_t, std::less<>> by_key_;  // of writes_, when they are many
    std::vector<std::uint64_t> key_marks_ = {};               // of writes_, one each
    std::vector<std::uint64_t> group_marks_ = {};
    std::size_t bytes_ = 0;
};

}  // namespace storage
