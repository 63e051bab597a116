// What RocksDB lets pass in silence, and we do not: one test for each trap of reference
// measurements.
#include <rocksdb/db.h>
#include <sodium.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <vector>

#include <catch2/catch.hpp>

#include "cdp/base/bytes.h"
#include "cdp/base/log.h"
#include "cdp/base/random.h"
#include "storage/high_water_mark.h"
#include "storage/rocks_layout.h"
#include "storage/trusted_time.h"
#include "tests/storage/stores.h"

namespace {

using namespace tests;
using storage::CommitState;
using storage::Space;
namespace fs = std::filesystem;

constexpr std::uint64_t kRows = 300;

std::string value_of(std::uint64_t n) {
    cdp::Random random{n};
    std::string value;
    while (value.size() < 200) value.push_back(static_cast<char>(random.next()));
    return value;
}

// Closed, with all of its rows in one log file and an exact mark.
void fill(const Folder& folder) {
    const auto store = new_rocks(folder);
    for (std::uint64_t n = 0; n < kRows; ++n)
        REQUIRE(put(*store, key(Space::node, 1, n), value_of(n)).state == CommitState::ok);
}

// The largest file of the database whose name starts or ends like this.
fs::path file_like(const Folder& folder, const std::string& part) {
    fs::path largest;
    for (const auto& entry : fs::directory_iterator(folder / "db")) {
        const auto name = entry.path().filename().string();
        if (!name.starts_with(part) && !name.ends_with(part)) continue;
        if (largest.empty() || entry.file_size() > fs::file_size(largest)) largest = entry.path();
    }
    REQUIRE(!largest.empty());
    return largest;
}

// That which is written to; their names are numbers of one length.
fs::path newest_log(const Folder& folder) {
    fs::path newest;
    for (const auto& entry : fs::directory_iterator(folder / "db"))
        if (entry.path().extension() == ".log") newest = std::max(newest, entry.path());
    REQUIRE(!newest.empty());
    return newest;
}

void flip(const fs::path& path, std::size_t at, int bit = 0) {
    auto bytes = read_file(path);
    REQUIRE(at < bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
    write_file(path, bytes);
}

void cut(const fs::path& path, std::uintmax_t bytes) {
    fs::resize_file(path, fs::file_size(path) - bytes);
}

cdp::Error refusal(const Folder& folder) {
    auto opened = storage::open_rocks_store(rocks_options(folder));
    return opened ? cdp::Error{.reason = "opened"} : opened.error();
}

// Twice: RocksDB's first refusal may leave behind what makes the second open succeed.
std::string untouched_refusal(const Folder& folder) {
    const auto before = contents(folder.path());
    const auto first = refusal(folder).reason;
    if (contents(folder.path()) != before) return first + ", but wrote";
    const auto second = refusal(folder).reason;
    return first == second ? first : first + ", then " + second;
}

std::uint64_t count_rows(const Folder& folder) {
    std::uint64_t rows = 0;
    REQUIRE(open_rocks(folder)->snapshot()->scan(group(Space::node, 1), {}, [&](auto, auto) {
        ++rows;
        return true;
    }));
    return rows;
}

TEST_CASE("a flipped bit in the middle of the log is refused, at any place") {
    const Folder folder;
    fill(folder);
    const auto log = file_like(folder, ".log");
    const auto intact = read_file(log);
    cdp::Random random{1};
    for (int i = 0; i < 15; ++i) {
        const auto at = random.below(intact.size() * 9 / 10);
        CAPTURE(at);
        write_file(log, intact);
        flip(log, at, static_cast<int>(random.below(8)));
        const auto reason = untouched_refusal(folder);
        // A length that points past the end looks like a torn tail; the mark knows better.
        CHECK((reason == "store_damaged" || reason == "writes_missing"));
    }
    write_file(log, intact);
    CHECK(count_rows(folder) == kRows);
}

TEST_CASE("the refusal of a damaged log names the file") {
    const Folder folder;
    fill(folder);
    flip(file_like(folder, ".log"), 20'000);
    const auto error = refusal(folder);
    CHECK(error.code == cdp::ErrorCode::corruption);
    CHECK(error.detail.find(file_like(folder, ".log")) != std::string::npos);
    CHECK(error.message.find(folder.path()) == std::string::npos);
}

TEST_CASE("a log that was cut or deleted is refused: acknowledged writes are missing") {
    const Folder folder;
    fill(folder);
    const auto log = file_like(folder, ".log");
    SECTION("in half") {
        cut(log, fs::file_size(log) / 2);
        CHECK(untouched_refusal(folder) == "writes_missing");
    }
    SECTION("by its last record") {
        cut(log, 100);
        CHECK(untouched_refusal(folder) == "writes_missing");
    }
    SECTION("to nothing") {
        fs::resize_file(log, 0);
        CHECK(untouched_refusal(folder) == "writes_missing");
    }
    SECTION("altogether") {
        fs::remove(log);
        CHECK(untouched_refusal(folder) == "writes_missing");
    }
}

TEST_CASE("an older copy of the whole database is refused") {
    const Folder folder;
    fill(folder);
    fs::copy(folder / "db", folder / "yesterday", fs::copy_options::recursive);
    put(*open_rocks(folder), key(Space::node, 2, 1), "today");
    fs::remove_all(folder / "db");
    fs::rename(folder / "yesterday", folder / "db");
    CHECK(untouched_refusal(folder) == "writes_missing");
}

// As a kill leaves a folder: nothing of it was closed.
TEST_CASE("a log that is cut behind what was just acknowledged is refused too") {
    const Folder folder;
    fill(folder);
    const auto store = open_rocks(folder);
    for (std::uint64_t n = 0; n < 20; ++n) {
        put(*store, key(Space::node, 3, n), "acknowledged");
        const Folder killed;
        for (const auto* part : {"db", "mark"})
            fs::copy(folder / part, killed / part, fs::copy_options::recursive);
        cut(newest_log(killed), 1);
        CAPTURE(n);
        REQUIRE(refusal(killed).reason == "writes_missing");
    }
}

TEST_CASE("a torn last record after the mark is dropped: nobody can have been told of it") {
    const Folder folder;
    fill(folder);
    const auto earlier = read_file(folder / "mark");
    put(*open_rocks(folder), key(Space::node, 1, kRows), "torn");
    write_file(folder / "mark", earlier);
    cut(file_like(folder, ".log"), 1);
    CHECK(count_rows(folder) == kRows);
}

TEST_CASE("a database without CURRENT is refused every time, and nothing is made") {
    const Folder folder;
    fill(folder);
    fs::remove(folder / "db/CURRENT");
    CHECK(untouched_refusal(folder) == "store_damaged");
    CHECK(refusal(folder).detail.find("CURRENT") != std::string::npos);
}

TEST_CASE("opening never creates") {
    const Folder folder;
    CHECK(untouched_refusal(folder) == "store_damaged");
    fs::create_directory(folder / "db");
    CHECK(untouched_refusal(folder) == "store_damaged");
}

TEST_CASE("creating refuses a folder that holds anything") {
    const Folder folder;
    fill(folder);
    const auto before = contents(folder.path());
    const auto created = storage::create_rocks_store(rocks_options(folder));
    REQUIRE(!created);
    CHECK(created.error().reason == "dir_not_empty");
    CHECK(contents(folder.path()) == before);
}

TEST_CASE("a mark that is missing, cut, changed or empty is refused") {
    const Folder folder;
    fill(folder);
    const auto mark = read_file(folder / "mark");
    SECTION("missing") {
        fs::remove(folder / "mark");
    }
    SECTION("cut") {
        write_file(folder / "mark", mark.substr(0, 20));
    }
    SECTION("empty") {
        write_file(folder / "mark", "");
    }
    SECTION("changed") {
        flip(folder / "mark", GENERATE(0, 7, 8, 15, 16, 24, 31, 47, 48, 63));
    }
    CHECK(untouched_refusal(folder) == "mark_damaged");
}

TEST_CASE("a mark from before it knew of a manifest still opens, and knows one afterwards") {
    const Folder folder;
    fill(folder);
    const auto text = cdp::ByteWriter().raw("cdpmark1").u64(kRows).take();
    std::array<unsigned char, 16> check;
    crypto_generichash(check.data(), check.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr,
                       0);
    write_file(folder / "mark",
               text + std::string(reinterpret_cast<const char*>(check.data()), check.size()));
    CHECK(storage::HighWaterMark::read(folder / "mark").value().sequence == kRows);
    CHECK(count_rows(folder) == kRows);
    CHECK(storage::HighWaterMark::read(folder / "mark").value().manifest.number > 0);
}

TEST_CASE("the mark follows a commit without being asked, and at once when it was quiet") {
    const Folder folder;
    const auto store = new_rocks(folder);
    put(*store, key(Space::node, 1, 1), "x");
    while (storage::HighWaterMark::read(folder / "mark").value().sequence == 0)
        std::this_thread::yield();
    SUCCEED();
}

TEST_CASE("after a clean close the mark is the last commit") {
    const Folder folder;
    fill(folder);
    CHECK(storage::HighWaterMark::read(folder / "mark").value().sequence == kRows);
}

// The same rows in table files small enough that a level has many.
std::uint64_t fill_tables(const Folder& folder) {
    {
        const auto store = new_rocks(folder);
    }
    auto options = rocks_options(folder);
    auto families = storage::family_descriptors(options);
    for (auto& family : families) family.options.target_file_size_base = 64 * 1024;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    REQUIRE(rocksdb::DB::Open(storage::database_options(options), options.path, families, &handles,
                              &raw)
                .ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    constexpr std::uint64_t kMany = 5'000;
    for (std::uint64_t n = 0; n < kMany; ++n)
        REQUIRE(db->Put({}, handles[0], key(Space::node, 1, n), value_of(n)).ok());
    rocksdb::CompactRangeOptions rewrite;
    rewrite.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    REQUIRE(db->CompactRange(rewrite, handles[0], nullptr, nullptr).ok());
    for (auto* handle : handles) REQUIRE(db->DestroyColumnFamilyHandle(handle).ok());
    return kMany;
}

// Every table file, in the order of their keys.
std::vector<std::string> tables(const Folder& folder) {
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    const auto options = rocks_options(folder);
    REQUIRE(rocksdb::DB::OpenForReadOnly(storage::database_options(options), options.path,
                                         storage::family_descriptors(options), &handles, &raw)
                .ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    std::vector<rocksdb::LiveFileMetaData> files;
    db->GetLiveFilesMetaData(&files);
    for (auto* handle : handles) REQUIRE(db->DestroyColumnFamilyHandle(handle).ok());
    std::ranges::sort(files, {}, &rocksdb::LiveFileMetaData::smallestkey);
    std::vector<std::string> names;
    for (const auto& file : files) names.push_back(options.path + file.name);
    return names;
}

void damage_block(const std::string& table, std::size_t at) {
    auto bytes = read_file(table);
    for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(~bytes[at + i]);
    write_file(table, bytes);
}

TEST_CASE("a scan over a damaged block ends with an error, wherever the block lies") {
    const Folder folder;
    const auto rows = fill_tables(folder);
    const auto files = tables(folder);
    REQUIRE(files.size() > 3);
    const auto file = GENERATE(as<std::size_t>{}, 0, 1, 2);
    const auto at = GENERATE(as<std::size_t>{}, 100, 30'000);
    CAPTURE(file, at);
    damage_block(files[file], at);

    const auto store = open_rocks(folder);
    std::uint64_t seen = 0;
    const auto scanned = store->snapshot()->scan(group(Space::node, 1), {}, [&](auto, auto) {
        ++seen;
        return true;
    });
    REQUIRE(!scanned);
    CHECK(scanned.error().reason == "store_damaged");
    CHECK(seen < rows);

    std::uint64_t unreadable = 0;
    for (std::uint64_t n = 0; n < rows; ++n) {
        const auto value = store->snapshot()->get(key(Space::node, 1, n));
        if (!value)
            ++unreadable;
        else if (*value != value_of(n))
            FAIL("a wrong value was returned");
    }
    CHECK(unreadable > 0);
    CHECK(unreadable < 100);
}

TEST_CASE("without our wrapper the same damage makes a hole that nobody sees") {
    const Folder folder;
    const auto rows = fill_tables(folder);
    damage_block(tables(folder)[1], 100);
    auto options = rocks_options(folder);
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    REQUIRE(rocksdb::DB::OpenForReadOnly(storage::database_options(options), options.path,
                                         storage::family_descriptors(options), &handles, &raw)
                .ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    std::uint64_t seen = 0;
    {
        const std::unique_ptr<rocksdb::Iterator> all(db->NewIterator({}, handles[0]));
        for (all->SeekToFirst(); all->Valid(); all->Next()) ++seen;
        CHECK(all->status().ok());
    }
    CHECK(seen < rows);
    for (auto* handle : handles) REQUIRE(db->DestroyColumnFamilyHandle(handle).ok());
}

TEST_CASE("a table file that is cut or gone is refused when the store opens") {
    const Folder folder;
    fill_tables(folder);
    const auto file = tables(folder)[1];
    SECTION("cut") {
        cut(file, 100);
    }
    SECTION("gone") {
        fs::remove(file);
    }
    CHECK(untouched_refusal(folder) == "store_damaged");
}

TEST_CASE("a manifest that is flipped or gone is refused, and no file is deleted") {
    const Folder folder;
    fill_tables(folder);
    const auto manifest = file_like(folder, "MANIFEST-");
    SECTION("flipped") {
        flip(manifest, fs::file_size(manifest) / 2);
        CHECK(untouched_refusal(folder) == "store_damaged");
    }
    SECTION("gone") {
        fs::remove(manifest);
        CHECK(untouched_refusal(folder) == "store_damaged");
    }
}

TEST_CASE("a manifest with any byte changed is refused, whatever the log holds") {
    const Folder folder;
    fill(folder);
    {
        const auto store = open_rocks(folder);
        put(*store, key(Space::node, 1, kRows), "later");
    }
    const auto manifest = file_like(folder, "MANIFEST-");
    const auto bytes = read_file(manifest);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        CAPTURE(at);
        flip(manifest, at, static_cast<int>(at % 8));
        CHECK(refusal(folder).reason == "store_damaged");
        write_file(manifest, bytes);
    }
    CHECK(count_rows(folder) == kRows + 1);
}

TEST_CASE("an earlier CURRENT with its manifest and log is refused") {
    const Folder folder;
    fill(folder);
    fs::copy(folder / "db", folder / "earlier", fs::copy_options::recursive);
    {
        const auto store = open_rocks(folder);
    }
    for (const auto& entry : fs::directory_iterator(folder / "earlier"))
        fs::copy(entry.path(), folder / "db", fs::copy_options::overwrite_existing);
    CHECK(untouched_refusal(folder) == "writes_missing");
}

TEST_CASE("a manifest cut at the end of any record is refused, or has lost nothing") {
    const Folder folder;
    fill(folder);
    std::uint64_t rows = kRows;
    {
        const auto store = open_rocks(folder);  // moves the rows from the log into a table
        // With a log that goes on, the last sequence is there whatever table is not.
        SECTION("and the log goes on") {
            for (; rows < kRows + 20; ++rows)
                REQUIRE(put(*store, key(Space::node, 1, rows), "later").state == CommitState::ok);
        }
        SECTION("and the log is empty") {}
    }
    const auto manifest = file_like(folder, "MANIFEST-");
    const auto bytes = read_file(manifest);
    fs::copy(folder / "db", folder / "intact", fs::copy_options::recursive);

    int refused = 0;
    // A record is u32 checksum, u16 length, u8 type, and that many bytes.
    for (std::size_t at = 0; at + 7 <= bytes.size();) {
        CAPTURE(at, bytes.size());
        write_file(manifest, bytes.substr(0, at));
        const auto reason = untouched_refusal(folder);
        if (reason == "writes_missing" || reason == "store_damaged") {
            ++refused;
        } else {
            CHECK(count_rows(folder) == rows);
            fs::remove_all(folder / "db");
            fs::copy(folder / "intact", folder / "db", fs::copy_options::recursive);
        }
        const auto length = static_cast<std::uint8_t>(bytes[at + 4]) +
                            256u * static_cast<std::uint8_t>(bytes[at + 5]);
        at += 7 + length;
    }
    CHECK(refused > 3);
    write_file(manifest, bytes);
    CHECK(count_rows(folder) == rows);
}

// The lines that reach our log while it lives.
class Lines {
public:
    Lines() {
        cdp::log::set_sink([this](cdp::log::Level, const char* event, auto) {
            const std::lock_guard lock(mutex_);
            events_.emplace_back(event);
        });
    }
    ~Lines() { cdp::log::set_sink(nullptr); }
    bool contain(const std::string& event) {
        const std::lock_guard lock(mutex_);
        return std::ranges::find(events_, event) != events_.end();
    }

private:
    std::mutex mutex_;
    std::vector<std::string> events_;
};

TEST_CASE("RocksDB writes no log file of its own: its warnings go to ours") {
    Lines lines;
    const Folder folder;
    fill(folder);
    flip(file_like(folder, ".log"), 20'000);
    CHECK(refusal(folder).reason == "store_damaged");
    CHECK(lines.contain("rocksdb"));
    for (const auto& entry : fs::directory_iterator(folder / "db"))
        CHECK_FALSE(entry.path().filename().string().starts_with("LOG"));
}

// Files may not grow past `bytes` while it lives.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit before_{};
};

TEST_CASE(
    "a disk that refuses a write makes the commit unknown; reads go on, and nothing acknowledged "
    "is lost") {
    const Folder folder;
    std::uint64_t acknowledged = 0;
    {
        const auto store = new_rocks(folder);
        storage::CommitOutcome outcome;
        {
            const FileSizeLimit limit(64 * 1024);
            do {
                outcome = put(*store, key(Space::node, 1, acknowledged), value_of(acknowledged));
                if (outcome.state == CommitState::ok) ++acknowledged;
            } while (outcome.state == CommitState::ok);
        }
        CHECK(outcome.state == CommitState::unknown);
        CHECK(outcome.error.reason == "storage_failed");
        CHECK(store->health() != storage::Health::ok);
        CHECK(put(*store, key(Space::node, 2, 1), "later").state == CommitState::unknown);
        CHECK(get(*store, key(Space::node, 1, acknowledged - 1)) == value_of(acknowledged - 1));
    }
    REQUIRE(acknowledged > 10);
    const auto rows = count_rows(folder);
    CHECK(rows >= acknowledged);
    CHECK(rows <= acknowledged + 1);  // the unknown one
}

TEST_CASE(
    "an expired dedupe row goes when a compaction comes by and what is trusted says so, and "
    "nothing "
    "else does") {
    const Folder folder;
    const auto behind = GENERATE(std::chrono::minutes(0), std::chrono::minutes(60));
    const auto expiring = [](std::uint32_t minutes) {
        return cdp::ByteWriter().u32(minutes).raw("rest").take();
    };
    const std::uint32_t now =
        static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::minutes>(
                                       std::chrono::system_clock::now().time_since_epoch())
                                       .count());
    {
        const auto store = new_rocks(folder);
        put(*store, key(Space::dedupe, 1, 1), expiring(now - 1));
        put(*store, key(Space::dedupe, 1, 2), expiring(now + 10));
        put(*store, key(Space::dedupe, 1, 3), "bad");
        put(*store, key(Space::node, 1, 1), expiring(now - 1));
    }
    {
        auto options = rocks_options(folder);
        if (behind.count() > 0)
            options.clock = [&] { return storage::machine_time().clock - behind; };
        std::vector<rocksdb::ColumnFamilyHandle*> handles;
        rocksdb::DB* raw = nullptr;
        REQUIRE(rocksdb::DB::Open(storage::database_options(options), options.path,
                                  storage::family_descriptors(options), &handles, &raw)
                    .ok());
        const std::unique_ptr<rocksdb::DB> db(raw);
        rocksdb::CompactRangeOptions all;
        all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
        for (auto* handle : handles) {
            REQUIRE(db->CompactRange(all, handle, nullptr, nullptr).ok());
            REQUIRE(db->DestroyColumnFamilyHandle(handle).ok());
        }
    }
    const auto store = open_rocks(folder);
    CHECK(get(*store, key(Space::dedupe, 1, 1)).has_value() == (behind.count() > 0));
    CHECK(get(*store, key(Space::dedupe, 1, 2)) == expiring(now + 10));
    CHECK(get(*store, key(Space::dedupe, 1, 3)) == "bad");
    CHECK(get(*store, key(Space::node, 1, 1)) == expiring(now - 1));
}

}  // namespace
