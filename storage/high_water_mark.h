#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "cdp/base/result.h"
#include "storage/file.h"
#include "storage/manifest_mark.h"

namespace storage {

// How far the database was known to be on disk, kept beside it: a database that ends before its
// mark, or whose list of tables does, has lost acknowledged writes. RocksDB itself notices neither
// a log file that is cut or gone nor a list that ends between two of its records.
//
// The file: "cdpmark2", u64 sequence, u64 number and u64 bytes of the MANIFEST, their digest,
// BLAKE2b-128 over all of it. "cdpmark1", which is still read, says nothing of a MANIFEST.
class HighWaterMark {
public:
    struct Mark {
        std::uint64_t sequence = 0;
        ManifestMark manifest = {};
    };

    // A new file; durable when it returns.
    static cdp::Result<void> create(const std::string& path, std::uint64_t sequence);
    // Error mark_damaged when it is missing or not a mark.
    static cdp::Result<Mark> read(const std::string& path);

    // Keeps the mark of an opened database in `folder`, from a thread of its own.
    static cdp::Result<std::unique_ptr<HighWaterMark>> keep(const std::string& path,
                                                            const std::string& folder, Mark mark);
    // Writes the last mark.
    ~HighWaterMark();
    HighWaterMark(const HighWaterMark&) = delete;
    HighWaterMark& operator=(const HighWaterMark&) = delete;

    // Everything up to `sequence` is on disk. The file says so when this returns, also after a kill
    // of the process; after a crash of the machine it says what was reached a second before.
    void raise(std::uint64_t sequence);

private:
    HighWaterMark(int descriptor, std::string folder, Mark mark);
    void run();
    cdp::Result<void> write_down();
    cdp::Result<void> write_locked();

    const Descriptor file_;
    const std::string folder_;
    Mark synced_;  // the thread's own

    std::mutex file_mutex_;  // held for a write, not for a sync
    Mark noted_;             // in the file

    std::mutex mutex_;
    std::condition_variable wake_;
    std::uint64_t reached_;  // by the database
    std::uint64_t written_;  // to the file
    bool stopping_ = false;

    std::thread thread_;
};

}  // namespace storage
