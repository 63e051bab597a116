#include "api/descriptors.h"

#include <sys/resource.h>

#include <catch2/catch.hpp>

#include "storage/rocks_store.h"

TEST_CASE("connections leave room for the files of the store, and for all else") {
    struct Row {
        std::size_t descriptors, wanted, connections;
    };
    const auto row = GENERATE(values<Row>({
        {20'000, 10'000, 10'000},
        {10'456, 10'000, 10'000},
        {10'455, 10'000, 9'999},
        {1'024, 10'000, 568},
        {128, 10'000, 64},
        {128, 10, 10},
        {8, 10'000, 4},
        {1, 10'000, 1},
        {0, 10'000, 1},
    }));
    CAPTURE(row.descriptors, row.wanted);
    CHECK(api::connections_within(row.descriptors, row.wanted) == row.connections);
    CHECK((row.descriptors < 4 ||
           row.connections + storage::open_files_of(row.descriptors) < row.descriptors));
}

TEST_CASE("what the system grants of descriptors is asked for, and no more than is needed") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit few = before;
    few.rlim_cur = 64;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    const auto granted = api::raise_descriptors(500);
    rlimit after{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &after) == 0);
    ::setrlimit(RLIMIT_NOFILE, &before);
    CHECK(after.rlim_cur == std::min<rlim_t>(956, before.rlim_max));
    CHECK(granted == after.rlim_cur);
    // Where there is more already, that stays.
    CHECK(api::raise_descriptors(1) <= before.rlim_cur);
}
