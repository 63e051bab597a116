#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"

namespace storage {

// Records on their way to the store: they must survive the process from the moment append()
// returns, and are dropped when the store has what they say. Kept in numbered segments; the newest
// is appended to, the others were cut and are read, each as a whole, and dropped.
//
// append(), cut() and start_after() belong to one thread at a time, the rest, which is about
// segments that were cut, to another one.
class Journal {
public:
    virtual ~Journal() = default;

    // The records are all there or, after an error, none is. What was appended survives the
    // process, and after a sync() of its segment the machine. Each up to kJournalRecordMax bytes.
    virtual cdp::Result<void> append(std::span<const std::string> records) = 0;
    cdp::Result<void> append(std::string_view record) {
        const std::string one(record);
        return append(std::span(&one, 1));
    }
    // Whether an append() would go well now. Leaves nothing that is read.
    virtual cdp::Result<void> try_writing() = 0;
    // As if the last append() had not been: it went well, and its segment was not cut since. After
    // an error what it appended may still be there.
    virtual cdp::Result<void> take_back() = 0;

    // The segment that append() writes to. Numbers go up and are never given twice.
    virtual std::uint64_t segment() const = 0;
    // What was appended to it, in bytes on disk; 0: it is not there yet.
    virtual std::uint64_t bytes() const = 0;
    // What is appended from now on goes to the next segment. Nothing when this one is empty.
    virtual void cut() = 0;
    // Numbers continue behind this one, for who remembers more of them than are here. Before the
    // first append.
    virtual void start_after(std::uint64_t segment) = 0;

    // Those that were cut, oldest first.
    virtual cdp::Result<std::vector<std::uint64_t>> segments() const = 0;
    // Also of the newest one, while it is appended to: what was there when it began.
    virtual cdp::Result<void> sync(std::uint64_t segment) = 0;

    // What cannot be read of a segment. A record cut short by the end of the file is not counted:
    // its append() never returned.
    struct Unread {
        std::uint64_t bytes = 0;
    };
    // Visits the records in order, up to the first that is damaged.
    virtual cdp::Result<Unread> read(std::uint64_t segment,
                                     const std::function<void(std::string_view)>& visit) const = 0;

    // It is no longer there when this returns, also after a crash of the process.
    virtual cdp::Result<void> drop(std::uint64_t segment) = 0;
};

inline constexpr std::size_t kJournalRecordMax = 16 * 1024 * 1024;

// Files `FOLDER/NUMBER`, mode 0600; the folder is made when it is missing. What an earlier process
// left are segments that were cut. A record is u32 length, u32 CRC-32C of it, the record; those
// appended together are one write(2).
cdp::Result<std::unique_ptr<Journal>> open_journal(const std::string& folder);

// For stores in memory: lost with the process like they are.
std::unique_ptr<Journal> make_memory_journal();

}  // namespace storage
