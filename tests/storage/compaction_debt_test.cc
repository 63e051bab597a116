#include <chrono>
#include <string>
#include <thread>

#include "storage/database_files.h"
#include "tests/storage/stores.h"

namespace {

using namespace tests;
using namespace std::chrono_literals;

// Rows that no merge makes fewer.
void put_megabyte(storage::Store& store, std::uint64_t n) {
    const auto snapshot = store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    for (std::uint64_t row = 0; row < 32; ++row)
        transaction.put(key(storage::Space::event, row, n), std::string(32'000, 'x'));
    REQUIRE(commit_and_wait(store, std::move(transaction)).state == storage::CommitState::ok);
}

}  // namespace

TEST_CASE("what compactions owe rises with what is written, and is paid while nothing is") {
    const Folder folder;
    const auto store = new_rocks(folder);
    const auto& files = **storage::files_of(*store);
    CHECK(files.compaction_debt().bytes == 0);
    CHECK_FALSE(files.compaction_debt().writes_slowed);

    std::uint64_t owed = 0;
    const auto until = std::chrono::steady_clock::now() + 60s;
    for (std::uint64_t n = 0; owed == 0 && std::chrono::steady_clock::now() < until; ++n) {
        put_megabyte(*store, n);
        owed = files.compaction_debt().bytes;
    }
    CHECK(owed > 1'000'000);  // of tables, not a number of them

    while (files.compaction_debt().bytes > 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(10ms);
    CHECK(files.compaction_debt().bytes == 0);
}
