#include "tests/storage/trusted_time.h"

#include <filesystem>

#include <catch2/catch.hpp>

#include "storage/memory_store.h"

namespace {

using namespace std::chrono_literals;
using namespace tests;
using days = std::chrono::days;
using storage::TrustedTime;

// As of a file of that day.
void write_at(const std::string& path, cdp::Timestamp time) {
    write_file(path, "x");
    std::filesystem::last_write_time(path, std::chrono::file_clock::from_sys(time));
}

}  // namespace

TEST_CASE("how far time has come outlives the process") {
    const Folder folder;
    Clocks clocks;
    const auto start = clocks.time.clock;
    {
        const auto time = TrustedTime::keep(folder / "time", folder.path(), clocks.machine());
        clocks.pass(3h);
        CHECK(time->standing().trusted == start + 3h);
    }
    clocks.time.clock += days(3650);
    {
        const auto time = TrustedTime::keep(folder / "time", folder.path(), clocks.machine());
        clocks.pass(1h);
        const auto standing = time->standing();
        CHECK_FALSE(standing.believed);
        CHECK(standing.trusted == start + 4h);
        CHECK(standing.ahead() == days(3650));
        CHECK(time->earliest() == start + 4h);
    }
    const auto time = TrustedTime::keep(folder / "time", folder.path(), clocks.machine());
    CHECK(time->standing().trusted == start + 4h);
}

TEST_CASE("a folder that kept no time yet begins with its newest file") {
    const Folder folder;
    Clocks clocks;
    write_at(folder / "older", clocks.time.clock - days(50));
    write_at(folder / "newer", clocks.time.clock - days(40));
    const auto time = TrustedTime::keep(folder / "time", folder.path(), clocks.machine());
    CHECK_FALSE(time->standing().believed);
    CHECK(time->standing().ahead() / 1h == 40 * 24);
}

TEST_CASE("a file of time that is damaged counts as none, and no leap is believed for it") {
    const Folder folder;
    Clocks clocks;
    set_back(folder / "time", 1h);
    auto bytes = read_file(folder / "time");
    const auto at = GENERATE(0u, 9u, 15u, 20u, 31u);
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    write_file(folder / "time", bytes);
    std::filesystem::create_directory(folder / "db");
    write_at(folder / "db/000001.log", clocks.time.clock - days(2));
    const auto time = TrustedTime::keep(folder / "time", folder / "db", clocks.machine());
    CHECK(time->standing().ahead() / 1h == 48);
}

TEST_CASE("an operator's word is on disk when it is taken") {
    const Folder folder;
    Clocks clocks;
    set_back(folder / "time", days(10));
    auto time = TrustedTime::keep(folder / "time", folder.path(), clocks.machine());
    CHECK_FALSE(time->standing().believed);
    const auto accepted = time->accept();
    REQUIRE(accepted);
    CHECK(accepted->believed);
    CHECK(accepted->trusted == clocks.time.clock);
    const auto bytes = read_file(folder / "time");
    time.reset();
    write_file(folder / "time", bytes);  // what its end wrote is not what is asked about
    CHECK(TrustedTime::keep(folder / "time", folder.path(), clocks.machine())->standing().believed);
}

TEST_CASE("a store says how far the clock is from what it trusts; one in memory trusts it") {
    const Folder folder;
    const auto store = new_rocks_behind(folder, days(10));
    const auto skew = storage::clock_skew(*store);
    CHECK(skew <= -days(10));
    CHECK(skew > -days(10) - 1min);
    const auto now = storage::machine_time().clock;
    CHECK(storage::earliest_time(*store, now) < now - days(9));
    REQUIRE(storage::trusted_time_of(*store)->accept());
    CHECK(storage::clock_skew(*store) == 0ms);

    const auto memory = storage::make_memory_store();
    CHECK(storage::trusted_time_of(*memory) == nullptr);
    CHECK(storage::clock_skew(*memory) == 0ms);
}
