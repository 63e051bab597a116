#include "storage/scrubber.h"

#include <sys/resource.h>

#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

#include "cdp/base/bytes.h"
#include "cdp/base/clock.h"
#include "storage/record_file.h"
#include "storage/rocks_database.h"
#include "tests/storage/stores.h"
#include "tests/support/said.h"

namespace {

using namespace std::chrono_literals;
using namespace tests;
using storage::Scrubber;
using storage::TableFile;

constexpr storage::ScrubPace kFast{.cycle = 24h, .bytes_per_second = std::uint64_t{1} << 40};

// A database of several tables, closed.
struct Tables {
    Folder folder;
    std::vector<TableFile> all;

    Tables() {
        // Each open writes what the log holds into a table.
        for (std::uint64_t n = 0; n < 4; ++n) {
            const auto store = n == 0 ? new_rocks(folder) : open_rocks(folder);
            for (std::uint64_t row = 0; row < 50; ++row)
                put(*store, key(storage::Space::node, n, row), std::string(1'000, 'x'));
        }
        open_rocks(folder).reset();
        const auto database =
            storage::Database::open(rocks_options(folder), storage::Database::Mode::read_only);
        REQUIRE(database);
        all = (*database)->tables();
        REQUIRE(all.size() >= 3);
    }

    std::unique_ptr<Scrubber> scrubber(const std::string& name = "scrub") {
        return std::make_unique<Scrubber>([this] { return all; }, folder / name);
    }
    void flip(const TableFile& table, std::size_t at) const {
        auto bytes = read_file(table.path);
        bytes[at] = static_cast<char>(bytes[at] ^ 1);
        write_file(table.path, bytes);
    }
};

Scrubber::Seen await(const Scrubber& scrubber) {
    for (int n = 0; n < 2'000 && scrubber.seen().through == cdp::Timestamp{}; ++n)
        std::this_thread::sleep_for(5ms);
    return scrubber.seen();
}

// While it lives nothing more can be opened.
struct NoDescriptors {
    rlimit before{};

    NoDescriptors() {
        REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
        const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    }
    ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before); }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;
};

}  // namespace

TEST_CASE("a bit that flips anywhere in a table is found and named, and the rest is whole") {
    Tables tables;
    const auto part = GENERATE(0.0, 0.3, 0.7, 0.999);
    CAPTURE(part);
    const auto& damaged = tables.all[1];
    tables.flip(damaged, static_cast<std::size_t>(static_cast<double>(damaged.bytes) * part));
    tests::Said said;
    const auto scrubber = tables.scrubber();
    scrubber->begin(kFast);
    const auto seen = await(*scrubber);
    CHECK(seen.tables == tables.all.size());
    CHECK(seen.damaged == 1);
    CHECK(said.text() == "table_damaged " + damaged.path + "\n");
}

TEST_CASE("a table that is missing is damage, and one that a compaction took is not") {
    Tables tables;
    const auto all = tables.all;
    std::filesystem::remove(all[0].path);
    std::filesystem::remove(all[1].path);
    std::atomic<int> asked = 0;
    // The second is gone from the database too by the time that it is missed.
    Scrubber scrubber(
        [&] {
            auto now = all;
            if (++asked > 1) now.erase(now.begin() + 1);
            return now;
        },
        tables.folder / "scrub");
    scrubber.begin(kFast);
    const auto seen = await(scrubber);
    CHECK(seen.tables == all.size() - 1);
    CHECK(seen.damaged == 1);
}

TEST_CASE("a cycle is gone through once, whoever is started in it") {
    Tables tables;
    {
        const auto scrubber = tables.scrubber();
        scrubber->begin(kFast);
        CHECK(await(*scrubber).tables == tables.all.size());
    }
    const auto again = tables.scrubber();
    again->begin(kFast);
    CHECK(again->seen().through > cdp::Timestamp{});
    std::this_thread::sleep_for(50ms);
    CHECK(again->seen().tables == 0);
    const auto anew = tables.scrubber("another");
    anew->begin(kFast);
    CHECK(await(*anew).tables == tables.all.size());
}

TEST_CASE("who is stopped goes on where it was, and stops at once") {
    Tables tables;
    {
        const auto scrubber = tables.scrubber();
        scrubber->begin({.cycle = 24h * 365, .bytes_per_second = 1});
        std::this_thread::sleep_for(20ms);
        CHECK(scrubber->seen().tables == 0);
    }
    const auto scrubber = tables.scrubber();
    scrubber->begin(kFast);
    CHECK(await(*scrubber).tables == tables.all.size());
}

TEST_CASE("without a cycle nothing is read") {
    Tables tables;
    const auto scrubber = tables.scrubber();
    scrubber->begin({});
    std::this_thread::sleep_for(20ms);
    CHECK(scrubber->seen().tables == 0);
    CHECK_FALSE(std::filesystem::exists(tables.folder / "scrub"));
}

TEST_CASE("what was found damaged is still counted by who is started anew, while it is there") {
    Tables tables;
    tables.flip(tables.all[1], 100);
    {
        tests::Said said;
        const auto scrubber = tables.scrubber();
        scrubber->begin(kFast);
        CHECK(await(*scrubber).damaged == 1);
    }
    {
        const auto again = tables.scrubber();
        again->begin(kFast);
        CHECK(again->seen().damaged == 1);
    }
    // A compaction took it.
    tables.all.erase(tables.all.begin() + 1);
    const auto without = tables.scrubber();
    without->begin(kFast);
    CHECK(without->seen().damaged == 0);
}

TEST_CASE("a record of before the damaged were kept says how far it was") {
    Tables tables;
    const auto through = cdp::timestamp_of(cdp::milliseconds_of(cdp::SystemClock().now()));
    const auto record = storage::with_digest(cdp::ByteWriter()
                                                 .raw("cdpscrub")
                                                 .i64(cdp::milliseconds_of(through))
                                                 .i64(cdp::milliseconds_of(through))
                                                 .u64(0)
                                                 .u64(tables.all.back().number)
                                                 .take());
    write_file(tables.folder / "scrub", record);
    const auto scrubber = tables.scrubber();
    scrubber->begin(kFast);
    CHECK(scrubber->seen().through == through);
    CHECK(scrubber->seen().damaged == 0);
}

TEST_CASE("a table that cannot be opened for want of descriptors is taken up again") {
    Tables tables;
    std::atomic<int> asked = 0;
    Scrubber scrubber(
        [&] {
            ++asked;
            return tables.all;
        },
        tables.folder / "scrub");
    auto pace = kFast;
    pace.again = 5ms;
    {
        const NoDescriptors none;
        scrubber.begin(pace);
        for (int n = 0; n < 2'000 && asked < 4; ++n) std::this_thread::sleep_for(5ms);
    }
    CHECK(asked >= 4);
    const auto seen = await(scrubber);
    CHECK(seen.tables == tables.all.size());
    CHECK(seen.damaged == 0);
}
