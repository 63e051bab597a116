#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "storage/store.h"

namespace rocksdb {
class Env;
}

namespace storage {

// Of what was read of tables, indexes and filters among it.
inline constexpr std::size_t kBlockCacheBytes = std::size_t{256} << 20;

// Of tables that are open at once: of few descriptors a quarter.
inline constexpr std::size_t kOpenFilesMax = 256;
std::size_t open_files_of(std::size_t descriptors);

struct RocksOptions {
    std::string path;       // the database folder
    std::string mark_path;  // the high-water mark file
    bool sync = true;       // off where losing data is meant
    std::size_t block_cache_bytes = kBlockCacheBytes;
    std::size_t memtable_bytes = 64u << 20;  // each of the column families
    std::size_t group_transactions_max = 500;
    // Asked by open, of the store as it was found: an error refuses it before a byte is written.
    std::function<cdp::Result<void>(const Snapshot&)> inspect = {};
    // Where it is kept how far time has come by which expired rows are dropped (trusted_time.h);
    // empty: they are by the machine's clock.
    std::string time_path = {};
    std::string scrub_path = {};  // where it is kept how far the tables have been read (scrubber.h)
    std::function<cdp::Timestamp()> clock = {};  // that one, or another; empty: the machine's
    // Through which RocksDB reaches its files, none: the machine's own. Outlives the store.
    rocksdb::Env* env = nullptr;
};

// Makes an empty database; refuses a folder that has one.
cdp::Result<void> create_rocks_store(const RocksOptions& options);

// The only door to RocksDB. Never creates. See docs/STORAGE.md for what is durable when.
cdp::Result<std::unique_ptr<Store>> open_rocks_store(const RocksOptions& options);

}  // namespace storage
