#include "tests/schedules/scheduler.h"

#include <condition_variable>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/seeds.h"

using namespace std::chrono_literals;

namespace {

// Two threads add to a number in two steps.
int added_apart(std::uint64_t seed) {
    int number = 0;
    tests::run_scheduled({.seed = seed}, [&] {
        std::mutex mutex;
        const auto add = [&] {
            int before = 0;
            {
                const std::lock_guard lock(mutex);
                before = number;
            }
            const std::lock_guard lock(mutex);
            number = before + 1;
        };
        std::thread first(add);
        std::thread second(add);
        first.join();
        second.join();
    });
    return number;
}

}  // namespace

TEST_CASE("a schedule finds what two threads do to each other, and only sometimes") {
    int lost = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) lost += added_apart(seed) == 1;
    CHECK(lost > 5);
    CHECK(lost < 95);
}

TEST_CASE("a seed gives the same run again, another seed another one") {
    const auto run = [](std::uint64_t seed) {
        return tests::run_scheduled({.seed = seed}, [] {
            std::mutex mutex;
            std::condition_variable changed;
            int turns = 0;
            std::vector<std::jthread> threads;
            for (int i = 0; i < 4; ++i)
                threads.emplace_back([&, i] {
                    for (int round = 0; round < 20; ++round) {
                        std::unique_lock lock(mutex);
                        changed.wait_for(lock, 10ms, [&] { return turns % 4 == i; });
                        ++turns;
                        changed.notify_all();
                    }
                });
        });
    };
    const auto first = run(7);
    const auto again = run(7);
    CHECK(first.trace == again.trace);
    CHECK(first.steps == again.steps);
    CHECK(first.ended_ns == again.ended_ns);
    CHECK(run(8).trace != first.trace);
}

TEST_CASE("waits of every kind end under a schedule, and take simulated time") {
    const auto seed = GENERATE(tests::seeds(50));
    CAPTURE(seed);
    const auto began = std::chrono::steady_clock::now();
    int answered = 0;
    const auto run = tests::run_scheduled({.seed = seed}, [&] {
        std::promise<int> promise;
        std::shared_mutex shared;
        std::atomic<int> word = 0;
        std::thread gives([&] {
            std::this_thread::sleep_for(2h);
            const std::unique_lock lock(shared);
            promise.set_value(3);
            word = 1;
            word.notify_all();
        });
        std::thread reads([&] {
            const std::shared_lock lock(shared);
            std::this_thread::sleep_for(1h);
        });
        answered = promise.get_future().get();
        word.wait(0);
        gives.join();
        reads.join();
    });
    CHECK(answered == 3);
    CHECK(run.ended_ns >= std::chrono::nanoseconds(2h).count());
    CHECK(std::chrono::steady_clock::now() - began < 10s);
}
