#include "api/rate_table.h"

#include <malloc.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <iostream>
#include <thread>

using api::RateTable;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const RateTable::Time kStart{std::chrono::hours(1)};

// Spreads a counter as the keyed hash of an address is spread.
std::uint64_t stranger(std::uint64_t n) {
    n = (n + 1) * 0x9e3779b97f4a7c15;
    return n ^ (n >> 29);
}

}  // namespace

TEST_CASE("a burst is granted, then so many a second, whenever it is asked") {
    RateTable table({.per_second = 10, .burst = 3}, 64);
    for (int i = 0; i < 3; ++i) CHECK(table.take(1, kStart) == 0);
    CHECK(table.take(1, kStart) == 1);
    CHECK(table.take(1, kStart + milliseconds(99)) == 1);
    CHECK(table.take(1, kStart + milliseconds(100)) == 0);
    CHECK(table.take(1, kStart + milliseconds(100)) == 1);

    int granted = 0;
    for (int ms = 0; ms < 100'000; ++ms)
        if (table.take(1, kStart + seconds(10) + milliseconds(ms)) == 0) ++granted;
    CHECK(granted == 1002);  // 100 s at 10 a second, and the burst that had filled up

    CHECK(table.take(2, kStart) == 0);
}

TEST_CASE("who is refused is told the seconds until the next one, at most 60") {
    RateTable slow({.per_second = 1, .burst = 1}, 64);
    CHECK(slow.take(1, kStart) == 0);
    CHECK(slow.take(1, kStart) == 1);
    CHECK(slow.take(1, kStart + milliseconds(1)) == 1);

    // Time that goes back grants nothing.
    CHECK(slow.take(1, kStart - seconds(30)) == 31);
    CHECK(slow.take(1, kStart - seconds(300)) == 60);
    CHECK(slow.take(1, kStart + seconds(1)) == 0);
}

TEST_CASE("no rate is no limit") {
    RateTable table({}, 64);
    for (int i = 0; i < 1000; ++i) CHECK(table.take(1, kStart) == 0);
}

TEST_CASE("a million strangers take no memory and free nobody who is held back") {
    RateTable table({.per_second = 1, .burst = 100}, 64 * 1024);
    std::vector<std::uint64_t> greedy;
    for (std::uint64_t n = 0; n < 50; ++n) greedy.push_back(stranger(10'000'000 + n));
    for (const auto who : greedy)
        for (int i = 0; i < 100; ++i) REQUIRE(table.take(who, kStart) == 0);

    const auto before = ::mallinfo2().uordblks;
    int refused = 0;
    for (std::uint64_t n = 0; n < 1'000'000; ++n)
        if (table.take(stranger(n), kStart + milliseconds(n / 1000)) != 0) ++refused;
    CHECK(::mallinfo2().uordblks == before);
    CHECK(refused == 0);
    for (const auto who : greedy) CHECK(table.take(who, kStart + milliseconds(999)) == 1);
}

TEST_CASE("threads that take at once are granted together what one would be") {
    RateTable table({.per_second = 1, .burst = 10'000}, 64);
    std::atomic<int> granted{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 5'000; ++i)
                if (table.take(7, kStart) == 0) ++granted;
        });
    for (auto& thread : threads) thread.join();
    CHECK(granted == 10'000);
}

TEST_CASE("what one look at the table costs", "[.][speed]") {
    RateTable table({.per_second = 1000, .burst = 10'000}, 64 * 1024);
    constexpr std::uint64_t kTakes = 10'000'000;
    std::uint64_t sum = 0;
    const auto start = std::chrono::steady_clock::now();
    for (std::uint64_t n = 0; n < kTakes; ++n) sum += table.take(stranger(n % 1000), start);
    const auto took = std::chrono::steady_clock::now() - start;
    std::cout << static_cast<double>(took.count()) / kTakes << " ns a take, " << sum << "\n";
}
