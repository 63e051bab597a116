#include <rocksdb/db.h>
#include <rocksdb/perf_context.h>
#include <rocksdb/perf_level.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>

#include "cdp/base/random.h"
#include "storage/rocks_layout.h"
#include "tests/storage/stores.h"

namespace {

using namespace tests;
using storage::Space;

constexpr std::uint64_t kRows = 20'000;

storage::RocksOptions options_of(const Folder& folder) {
    return {.path = folder / "db", .mark_path = folder / "mark"};
}

// How many keys are compared.
template <typename Work>
std::uint64_t compared_by(const Work& work) {
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
    rocksdb::get_perf_context()->Reset();
    work();
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
    return rocksdb::get_perf_context()->user_key_comparison_count;
}

// By RocksDB alone, with our settings. Compacted: all in tables below level 0.
void open_alone(const storage::RocksOptions& options, bool compacted = false) {
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    REQUIRE(rocksdb::DB::Open(storage::database_options(options), options.path,
                              storage::family_descriptors(options), &handles, &raw)
                .ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    for (auto* handle : handles) {
        if (compacted) REQUIRE(db->CompactRange({}, handle, nullptr, nullptr).ok());
        REQUIRE(db->DestroyColumnFamilyHandle(handle).ok());
    }
}

void fill(const storage::RocksOptions& options, std::uint64_t rows) {
    REQUIRE(storage::create_rocks_store(options));
    auto opened = storage::open_rocks_store(options);
    REQUIRE(opened);
    const auto& store = *opened;
    cdp::Random random{1};
    for (std::uint64_t n = 0; n < rows;) {
        const auto snapshot = store->snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        for (const auto end = std::min(rows, n + kRows); n < end; ++n)
            transaction.put(key(Space::node, random.next(), n), "value");
        REQUIRE(commit_and_wait(*store, std::move(transaction)).state == storage::CommitState::ok);
    }
}

TEST_CASE("looking at a store before it is opened puts nothing of its log in order") {
    const Folder folder;
    const auto options = options_of(folder);
    fill(options, kRows);
    const Folder copy;
    std::filesystem::copy(folder.path(), copy.path(),
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);

    const auto alone = compared_by([&] { open_alone(options_of(copy)); });
    const auto ours = compared_by([&] { REQUIRE(storage::open_rocks_store(options)); });
    CHECK(alone > kRows);
    CHECK(ours < alone + alone / 2);  // in order twice: twice as many
}

// What is read so must be what is in the log all the same.
TEST_CASE("who looks at a store before it is opened sees what is in its log only") {
    const Folder folder;
    {
        const auto store = new_rocks(folder);
        for (std::uint64_t n = 0; n < 50; ++n) {
            put(*store, key(Space::node, n, 1), "early");
            put(*store, key(Space::node, n, 1), "late");
            put(*store, key(Space::dedupe, n, 1), "dedupe");
        }
    }
    auto options = rocks_options(folder);
    bool looked = false;
    options.inspect = [&](const storage::Snapshot& snapshot) {
        looked = true;
        for (std::uint64_t n = 0; n < 50; ++n) {
            CHECK(snapshot.get(key(Space::node, n, 1)).value() == "late");
            CHECK(snapshot.get(key(Space::dedupe, n, 1)).value() == "dedupe");
            CHECK(snapshot.get(key(Space::node, n, 2)).value() == std::nullopt);
        }
        return cdp::Result<void>::ok();
    };
    REQUIRE(storage::open_rocks_store(options));
    CHECK(looked);
}

// A filter is one block, and larger than what many small shards would have room for.
TEST_CASE("filters stay in the cache while data that has no room there is read") {
    const Folder folder;
    auto options = options_of(folder);
    options.block_cache_bytes = 16u << 20;
    fill(options, 400'000);
    open_alone(options, /*compacted=*/true);
    auto opened = storage::open_rocks_store(options);
    REQUIRE(opened);
    const auto& store = *opened;
    cdp::Random random{2};
    const auto read = [&](int times) {
        rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
        rocksdb::get_perf_context()->Reset();
        for (int n = 0; n < times; ++n) {
            const auto snapshot = store->snapshot();
            const auto first = key(Space::node, random.next(), 0);
            REQUIRE(snapshot->get(first).value() == std::nullopt);
            REQUIRE(snapshot->scan(storage::space_prefix(Space::node), first,
                                   [](std::string_view, std::string_view) { return false; }));
        }
        rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
        return rocksdb::get_perf_context()->filter_block_read_count;
    };
    CHECK(read(1'000) > 0);
    CHECK(read(3'000) == 0);
}

}  // namespace
