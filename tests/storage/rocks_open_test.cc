#include <rocksdb/db.h>
#include <rocksdb/perf_context.h>
#include <rocksdb/perf_level.h>

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

void open_alone(const storage::RocksOptions& options) {
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    REQUIRE(rocksdb::DB::Open(storage::database_options(options), options.path,
                              storage::family_descriptors(options), &handles, &raw)
                .ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    for (auto* handle : handles) REQUIRE(db->DestroyColumnFamilyHandle(handle).ok());
}

TEST_CASE("looking at a store before it is opened puts nothing of its log in order") {
    const Folder folder;
    const auto options = options_of(folder);
    REQUIRE(storage::create_rocks_store(options));
    cdp::Random random{1};
    {
        auto opened = storage::open_rocks_store(options);
        REQUIRE(opened);
        const auto& store = *opened;
        const auto snapshot = store->snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        for (std::uint64_t n = 0; n < kRows; ++n)
            transaction.put(key(Space::node, random.next(), n), "value");
        REQUIRE(commit_and_wait(*store, std::move(transaction)).state == storage::CommitState::ok);
    }
    const Folder copy;
    std::filesystem::copy(folder.path(), copy.path(),
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);

    const auto alone = compared_by([&] { open_alone(options_of(copy)); });
    const auto ours = compared_by([&] { REQUIRE(storage::open_rocks_store(options)); });
    CHECK(alone > kRows);
    CHECK(ours < alone + alone / 10);
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

}  // namespace
