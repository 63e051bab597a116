#include "storage/rocks_layout.h"

#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>

#include "cdp/base/assert.h"
#include "cdp/base/bytes.h"
#include "cdp/base/log.h"
#include "storage/key.h"
#include "storage/trusted_time.h"

namespace storage {
namespace {

// RocksDB's own log, to ours. Not a file: Debian's build runs with assertions and aborts the
// process when its log file cannot be written, which is when we most want an error instead.
class Log final : public rocksdb::Logger {
public:
    Log() : Logger(rocksdb::WARN_LEVEL) {}

    using Logger::Logv;
    void Logv(const char* format, va_list arguments) override {
        Logv(rocksdb::HEADER_LEVEL, format, arguments);
    }
    void Logv(rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
        if (level < rocksdb::WARN_LEVEL || level == rocksdb::HEADER_LEVEL) return;
        std::array<char, 500> text;
        const int n = std::vsnprintf(text.data(), text.size(), format, arguments);
        if (n < 0) return;
        const auto size = std::min(static_cast<std::size_t>(n), text.size() - 1);
        {
            const std::lock_guard lock(mutex_);
            if (first_.empty()) first_.assign(text.data(), size);
        }
        const bool error = level >= rocksdb::ERROR_LEVEL;
        cdp::log::write(error ? cdp::log::Level::error : cdp::log::Level::warning, "rocksdb",
                        {{"text", cdp::log::safe({text.data(), size})}});
    }

    std::string first() const {
        const std::lock_guard lock(mutex_);
        // Without the place in RocksDB's source.
        const auto place = first_.starts_with('[') ? first_.find("] ") : first_.npos;
        return place == first_.npos ? first_ : first_.substr(place + 2);
    }

private:
    mutable std::mutex mutex_;
    std::string first_;
};

// Drops rows of Space::dedupe that are past their expiry, when a compaction comes by them anyway.
// Readers never see a difference: they take an expired row for absent.
class DropExpired final : public rocksdb::CompactionFilter {
public:
    explicit DropExpired(cdp::Timestamp now)
        : now_(std::chrono::floor<std::chrono::minutes>(now).time_since_epoch().count()) {}

    const char* Name() const override { return "cdp.drop_expired"; }

    bool Filter(int, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string*,
                bool*) const override {
        constexpr std::size_t kSpaceAt = sizeof(Partition);
        if (key.size() <= kSpaceAt || key[kSpaceAt] != static_cast<char>(Space::dedupe))
            return false;
        cdp::ByteReader in(value.ToStringView());
        const std::int64_t expiry = in.u32();
        return in.ok() && expiry <= now_;
    }

private:
    const std::int64_t now_;  // minutes since 1970
};

// For each compaction one, with the time at which it begins.
class DropExpiredNow final : public rocksdb::CompactionFilterFactory {
public:
    explicit DropExpiredNow(std::function<cdp::Timestamp()> clock) : clock_(std::move(clock)) {}

    const char* Name() const override { return "cdp.drop_expired_now"; }
    std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
        const rocksdb::CompactionFilter::Context&) override {
        return std::make_unique<DropExpired>(clock_());
    }

private:
    const std::function<cdp::Timestamp()> clock_;
};

// A commit's rows are put in the order of their keys: within a space each is looked for from the
// place of the last one.
class PutInOrder final : public rocksdb::SliceTransform {
public:
    const char* Name() const override { return "cdp.put_in_order"; }
    bool InDomain(const rocksdb::Slice& key) const override { return key.size() > kSpaceAt; }
    rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
        return {key.data(), kSpaceAt + 1};
    }

private:
    static constexpr std::size_t kSpaceAt = sizeof(Partition);
};

std::size_t descriptors_max() {
    rlimit limit{};
    const bool known = ::getrlimit(RLIMIT_NOFILE, &limit) == 0;
    return known ? static_cast<std::size_t>(limit.rlim_cur) : 4 * kOpenFilesMax;
}

rocksdb::ColumnFamilyOptions family_options(const RocksOptions& options,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.whole_key_filtering = true;
    table.format_version = 5;
    // Indexes and filters grow with the data; in the cache they have a bound.
    table.cache_index_and_filter_blocks = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;

    rocksdb::ColumnFamilyOptions family;
    family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    family.write_buffer_size = options.memtable_bytes;
    family.max_write_buffer_number = 3;
    // Facts and index rows are hardly read from here, and each look-up asks a filter first: fewer,
    // larger compactions cost less than a few more files.
    family.level0_file_num_compaction_trigger = 8;
    // Sealed values and keyed tokens have nothing to squeeze out.
    family.compression = rocksdb::kNoCompression;
    // Most look-ups and scans for new identifiers and events find nothing: filters over keys and
    // groups, in files and memtables, spare them the search.
    family.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(kGroupBytes));
    family.memtable_prefix_bloom_size_ratio = 0.05;
    family.memtable_whole_key_filtering = true;
    family.memtable_insert_with_hint_prefix_extractor = std::make_shared<PutInOrder>();
    return family;
}

}  // namespace

std::size_t open_files_of(std::size_t descriptors) {
    return std::min(kOpenFilesMax, descriptors / 4);
}

Family family_of(std::string_view key) {
    CDP_ASSERT(key.size() > sizeof(Partition));
    switch (static_cast<Space>(key[sizeof(Partition)])) {
        case Space::event:
        case Space::pointer: return Family::facts;
        case Space::dedupe: return Family::index;
        default: return Family::state;
    }
}

rocksdb::DBOptions database_options(const RocksOptions& options) {
    rocksdb::DBOptions database;
    if (options.env) database.env = options.env;
    database.create_if_missing = false;
    database.paranoid_checks = true;
    // The default recovery drops what follows a damaged record and calls it a success.
    database.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    database.track_and_verify_wals_in_manifest = true;
    database.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
    database.info_log = std::make_shared<Log>();
    database.max_open_files = static_cast<int>(open_files_of(descriptors_max()));
    database.max_background_jobs = 2;
    // What a restart has to read again.
    database.max_total_wal_size = 2 * options.memtable_bytes;
    database.db_write_buffer_size = 3 * options.memtable_bytes;
    database.max_manifest_file_size = 16u << 20;
    // No wake-ups while nothing happens.
    database.stats_dump_period_sec = 0;
    database.stats_persist_period_sec = 0;
    return database;
}

std::string first_complaint(const rocksdb::DBOptions& options) {
    return static_cast<const Log&>(*options.info_log).first();
}

std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(const RocksOptions& options) {
    rocksdb::LRUCacheOptions bounds;
    bounds.capacity = options.block_cache_bytes;
    // A table's filter is one block, of some megabytes: a shard must have room for many of them, or
    // they push each other out and each look-up reads one again.
    bounds.num_shard_bits = 3;
    bounds.high_pri_pool_ratio = 0.7;  // indexes and filters
    const auto cache = rocksdb::NewLRUCache(bounds);
    const auto family = family_options(options, cache);
    auto index = family;
    index.compaction_filter_factory = std::make_shared<DropExpiredNow>(
        options.clock ? options.clock : [] { return machine_time().clock; });
    return {{rocksdb::kDefaultColumnFamilyName, family}, {"facts", family}, {"index", index}};
}

}  // namespace storage
