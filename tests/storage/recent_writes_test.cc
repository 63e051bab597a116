#include "storage/recent_writes.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "cdp/base/random.h"
#include "storage/marks.h"
#include "tests/support/seeds.h"

namespace {

using storage::RecentWrites;
using storage::Version;

TEST_CASE("a mark that was never written has version zero") {
    const RecentWrites recent(8);
    CHECK(recent.last(12345) == 0);
}

TEST_CASE("a table with room remembers exactly") {
    RecentWrites recent(1 << 10);
    cdp::Random random{1};
    std::map<std::uint64_t, Version> exact;
    for (Version version = 1; version <= 1000; ++version) {
        const auto mark = random.next() & ~std::uint64_t{1};
        recent.record(mark, version);
        exact[mark] = version;
        recent.record(exact.begin()->first, version);
        exact.begin()->second = version;
    }
    for (const auto& [mark, version] : exact) CHECK(recent.last(mark) == version);
}

TEST_CASE("a table without room answers too late, never too early") {
    const auto seed = GENERATE(tests::seeds(20));
    CAPTURE(seed);
    RecentWrites recent(4);
    cdp::Random random{seed};
    std::map<std::uint64_t, Version> exact;
    for (Version version = 1; version <= 2000; ++version) {
        const auto mark = storage::key_mark(std::to_string(random.below(100)));
        recent.record(mark, version);
        exact[mark] = version;
        const auto asked = storage::key_mark(std::to_string(random.below(100)));
        const auto known = exact.contains(asked) ? exact[asked] : 0;
        REQUIRE(recent.last(asked) >= known);
        REQUIRE(recent.last(asked) <= version);
    }
}

// What a reader may rely on: a write of a published version is never forgotten, whatever the writer
// evicts meanwhile.
TEST_CASE("readers beside the writer miss nothing that was published") {
    constexpr Version kVersions = 200'000;
    std::vector<std::uint64_t> marks(kVersions + 1);
    cdp::Random random{7};
    for (auto& mark : marks) mark = storage::key_mark(std::to_string(random.below(500)));

    RecentWrites recent(16);
    std::atomic<Version> published = 0;
    std::atomic<int> missed = 0;
    std::vector<std::thread> readers;
    for (std::uint64_t i = 0; i < 2; ++i)
        readers.emplace_back([&, i] {
            cdp::Random own{i};
            for (Version now = 0; now < kVersions;) {
                now = published.load(std::memory_order_acquire);
                if (now == 0) continue;
                const auto version = now - own.below(std::min<Version>(now, 300));
                if (recent.last(marks[version]) < version) ++missed;
            }
        });
    for (Version version = 1; version <= kVersions; ++version) {
        recent.record(marks[version], version);
        published.store(version, std::memory_order_release);
    }
    for (auto& reader : readers) reader.join();
    CHECK(missed == 0);
}

TEST_CASE("a key and its group never have the same mark") {
    for (int i = 0; i < 1000; ++i) {
        const auto key = std::string(19, 'x') + std::to_string(i);
        REQUIRE(storage::key_mark(key) % 2 == 0);
        REQUIRE(storage::group_mark(key) % 2 == 1);
        REQUIRE(storage::group_mark(key) == storage::group_mark(std::string(19, 'x')));
    }
}

}  // namespace
