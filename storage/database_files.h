#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cdp/base/result.h"
#include "storage/snapshot.h"
#include "storage/store.h"

namespace storage {

class Scrubber;
class SpaceWatch;
class TrustedTime;

// What compactions owe: tables that are still to be merged. It falls when less is written.
struct CompactionDebt {
    std::uint64_t bytes = 0;  // to be read and written again, about
    // So much is owed, or so many memtables wait to be flushed, that commits are held back.
    bool writes_slowed = false;
};

// What a store that lies in files can do with them. Safe to use from many threads, beside commits.
class DatabaseFiles {
public:
    virtual ~DatabaseFiles() = default;

    // Makes `folder`, which is not there yet, a database as this one is at one moment between call
    // and return. Files that do not change any more are shared, not copied.
    virtual cdp::Result<void> link_to(const std::string& folder) const = 0;

    // Reads every file and holds it against its checksums. Error corruption, store_damaged.
    virtual cdp::Result<void> scrub() const = 0;

    // As of now; it costs little, and waits for no file.
    virtual CompactionDebt compaction_debt() const = 0;

    // The time by which it forgets; nullptr: that of the machine.
    virtual TrustedTime* time() const = 0;
    // Keeps no reserve until it is told to.
    virtual SpaceWatch& space() const = 0;
    // Reads nothing until it is told to.
    virtual Scrubber& scrubber() const = 0;
};

// Error unavailable, no_files: the store lies in memory.
cdp::Result<const DatabaseFiles*> files_of(const Store& store);

// A database as it was at one moment, to be read and copied while the store goes on. Gone with the
// object, and what an earlier process left there goes first.
class StoreCopy {
public:
    // `folder` is one's own, on the file system of the store.
    static cdp::Result<std::unique_ptr<StoreCopy>> make(const Store& store,
                                                        const std::string& folder);
    ~StoreCopy();
    StoreCopy(const StoreCopy&) = delete;
    StoreCopy& operator=(const StoreCopy&) = delete;

    const Snapshot& snapshot() const;
    std::uint64_t sequence() const;

    struct File {
        std::string name;
        std::uint64_t bytes = 0;
    };
    // Of the database's folder, in order of name; path() + "/" + name opens one.
    cdp::Result<std::vector<File>> files() const;
    std::string path() const { return folder_ + "/db"; }

private:
    explicit StoreCopy(std::string folder);

    struct Open;
    const std::string folder_;
    std::unique_ptr<Open> open_;
};

}  // namespace storage
