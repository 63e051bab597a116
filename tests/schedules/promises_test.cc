#include <sodium.h>

#include <array>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/schedules/process.h"
#include "tests/schedules/scheduler.h"
#include "tests/support/seeds.h"

// Whatever happens when, in several lives of a process with a disk that fails: what was
// acknowledged is there once, what was erased is gone, what was withdrawn is not shown, and the
// folds are those of the facts.

namespace {

// Keys, nonces and ids of a run come from its seed too.
cdp::Random key_bytes{1};

void seed_key_bytes(std::uint64_t seed) {
    static randombytes_implementation seeded = [] {
        randombytes_implementation made{};
        made.implementation_name = [] { return "seeded"; };
        made.random = [] { return static_cast<std::uint32_t>(key_bytes.next()); };
        made.buf = [](void* out, std::size_t n) {
            auto* bytes = static_cast<unsigned char*>(out);
            for (std::size_t i = 0; i < n; ++i)
                bytes[i] = static_cast<unsigned char>(key_bytes.next());
        };
        return made;
    }();
    key_bytes = cdp::Random(seed);
    randombytes_set_implementation(&seeded);
}

struct Outcome {
    tests::ScheduleRun run = {};
    std::vector<std::string> broken = {};
    tests::Disk::Counts disk = {};
    std::size_t stored = 0;
    std::size_t shown = 0;
    std::size_t erased = 0;
};

constexpr int kClients = 3;

// Up to three lives; all but the last end at a random moment or after some peace.
Outcome live(std::uint64_t seed, std::uint64_t lie_one_in = 0) {
    Outcome outcome;
    seed_key_bytes(seed);
    outcome.run = tests::run_scheduled({.seed = seed}, [&] {
        cdp::Random random(seed);
        tests::Disk disk(seed);
        tests::Account account;
        // An assertion joins units, and then one erasure would take several.
        const bool erasures = random.one_in(2);
        const tests::Traffic traffic{.units = 2 + static_cast<int>(random.below(3)),
                                     .operations = 4 + static_cast<int>(random.below(12)),
                                     .erasures = erasures,
                                     .assertions = !erasures};
        const tests::DiskFaults faults{
            .fail_one_in = random.one_in(2) ? 0 : 4 + random.below(30),
            .conflict_one_in = random.one_in(2) ? 0 : 3 + random.below(30),
            .lie_one_in = lie_one_in,
            .group_max = random.one_in(2) ? 500 : 1 + random.below(4)};
        for (auto lives = 1 + random.below(2); lives > 0; --lives) {
            disk.start_again();
            tests::Process process(disk, faults, {});
            if (!process.refused().empty()) {
                outcome.broken.push_back("no start: " + process.refused());
                return;
            }
            std::vector<std::jthread> threads;
            for (std::uint64_t n = 0; n < kClients; ++n)
                threads.emplace_back([&, client = random.next()] {
                    tests::run_client(process, disk, account, traffic, client);
                });
            threads.emplace_back([&, after = random.below(150'000)] {
                std::this_thread::sleep_for(std::chrono::microseconds(after));
                disk.crash();
            });
        }
        disk.start_again();
        tests::Process process(disk, {}, {});
        tests::send_again(process, account);
        outcome.broken = tests::broken_promises(process, account);
        outcome.disk = disk.counts();
        for (const auto& event : account.events)
            outcome.stored += event.answer == tests::Answer::stored;
        for (const auto& erasure : account.erasures) outcome.erased += erasure.answered();
        for (const auto& seen : account.profiles) outcome.shown += seen.shows;
    });
    return outcome;
}

std::string lines(const std::vector<std::string>& broken) {
    std::string out;
    for (const auto& line : broken) out += line + "\n";
    return out;
}

}  // namespace

TEST_CASE("every promise is kept, whatever happens when") {
    const auto seed = GENERATE(tests::seeds(300));
    CAPTURE(seed);
    CHECK(lines(live(seed).broken) == "");
}

TEST_CASE("the same seed gives the same lives") {
    for (const std::uint64_t seed : {3, 4, 5}) {
        const auto first = live(seed);
        const auto again = live(seed);
        CHECK(first.run.steps == again.run.steps);
        CHECK(first.run.trace == again.run.trace);
    }
}

TEST_CASE(
    "lives see failing disks, halves of commits, reads and erasures; a disk that lies is noticed") {
    Outcome all;
    int noticed = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        const auto one = live(seed);
        all.disk.failed += one.disk.failed;
        all.disk.failed_whole += one.disk.failed_whole;
        all.disk.crashed_halfway += one.disk.crashed_halfway;
        all.stored += one.stored;
        all.shown += one.shown;
        all.erased += one.erased;
        noticed += !live(seed, /*lie_one_in=*/5).broken.empty();
    }
    CAPTURE(all.disk.failed, all.disk.failed_whole, all.disk.crashed_halfway, all.stored, all.shown,
            all.erased, noticed);
    CHECK(all.disk.failed > 50);
    CHECK(all.disk.failed_whole > 20);
    CHECK(all.disk.crashed_halfway > 10);
    CHECK(all.stored > 1'000);
    CHECK(all.shown > 20);
    CHECK(all.erased > 30);
    CHECK(noticed > 60);
}
