#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "cdp/base/result.h"
#include "storage/file.h"

namespace storage {

// How far the database was known to be on disk, kept beside it: a database that ends before its
// mark has lost acknowledged writes, which RocksDB itself does not notice when a log file is cut or
// gone.
//
// The file: "cdpmark1", u64 sequence, BLAKE2b-128 over both.
class HighWaterMark {
public:
    // A new file; durable when it returns.
    static cdp::Result<void> create(const std::string& path, std::uint64_t sequence);
    // Error mark_damaged when it is missing or not a mark.
    static cdp::Result<std::uint64_t> read(const std::string& path);

    // Keeps the mark of an opened database, from a thread of its own.
    static cdp::Result<std::unique_ptr<HighWaterMark>> keep(const std::string& path,
                                                            std::uint64_t sequence);
    // Writes the last mark.
    ~HighWaterMark();
    HighWaterMark(const HighWaterMark&) = delete;
    HighWaterMark& operator=(const HighWaterMark&) = delete;

    // Everything up to `sequence` is on disk. Returns at once; the file follows at once after a
    // quiet second, and otherwise within a second.
    void raise(std::uint64_t sequence);

private:
    HighWaterMark(int descriptor, std::uint64_t sequence);
    void run();

    const Descriptor file_;

    std::mutex mutex_;
    std::condition_variable wake_;
    std::uint64_t reached_;  // by the database
    std::uint64_t written_;  // to the file
    bool stopping_ = false;

    std::thread thread_;
};

}  // namespace storage
