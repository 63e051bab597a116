#include "storage/space_watch.h"

#include <limits>

#include <catch2/catch.hpp>

#include "storage/database_files.h"
#include "tests/storage/stores.h"

namespace {

using namespace tests;
using storage::judged;

}  // namespace

TEST_CASE("a disk is low when less is left than is to stay, until a quarter more is") {
    struct Row {
        std::uint64_t bytes, files;
        bool was, is;
    };
    // Of bytes 100 are to stay, of files 8.
    const auto row = GENERATE(values<Row>({
        {100, 8, false, false},
        {99, 8, false, true},
        {100, 7, false, true},
        {100, 10, true, true},
        {124, 10, true, true},
        {125, 9, true, true},
        {125, 10, true, false},
        {0, 0, true, true},
    }));
    CAPTURE(row.bytes, row.files, row.was);
    const auto room = judged(
        {.bytes = row.bytes, .bytes_kept = 100, .files = row.files, .files_kept = 8}, row.was);
    CHECK(room.low == row.is);
}

TEST_CASE("a file system that counts no files is not low on them") {
    CHECK_FALSE(judged({.bytes = 1, .bytes_kept = 1}, true).low);
}

TEST_CASE("a share of a small number is not nothing") {
    CHECK(storage::part_of(60, 5) == 3);
    CHECK(storage::part_of(std::numeric_limits<std::uint64_t>::max(), 100) ==
          std::numeric_limits<std::uint64_t>::max());
    CHECK(storage::part_of(0, 90) == 0);
}

TEST_CASE("a store keeps no reserve until it is told to, and then at once") {
    const Folder folder;
    const auto store = new_rocks(folder);
    auto& space = (*storage::files_of(*store))->space();
    space.keep({.bytes = 0});
    CHECK_FALSE(storage::low_on_space(*store));
    CHECK(space.room().bytes_kept == 0);
    // All there is: its own files are too much.
    space.keep({.bytes = std::numeric_limits<std::uint64_t>::max(), .percent_max = 100});
    CHECK(storage::low_on_space(*store));
    CHECK(space.room().low);
    CHECK(space.room().bytes_kept > space.room().bytes);
    CHECK_FALSE(storage::low_on_space(*storage::make_memory_store()));
}
