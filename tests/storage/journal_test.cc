#include "storage/journal.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "cdp/base/random.h"
#include "storage/journal_frame.h"
#include "tests/storage/folder.h"
#include "tests/support/seeds.h"

namespace {

using storage::Journal;
using Records = std::vector<std::string>;

std::unique_ptr<Journal> open(const tests::Folder& folder) {
    auto journal = storage::open_journal(folder / "journal");
    REQUIRE(journal);
    return *std::move(journal);
}

struct Found {
    Records records;
    std::uint64_t unread = 0;
};

Found read(const Journal& journal) {
    Found found;
    const auto segments = journal.segments();
    REQUIRE(segments);
    for (const auto segment : *segments) {
        const auto left = journal.read(
            segment, [&](std::string_view record) { found.records.emplace_back(record); });
        REQUIRE(left);
        found.unread += left->bytes;
    }
    return found;
}

// A file of the journal with other bytes.
void write(const tests::Folder& folder, std::uint64_t segment, const std::string& bytes) {
    std::ofstream(folder / ("journal/" + std::to_string(segment)), std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE("the checksum is CRC-32C") {
    CHECK(storage::crc32c("123456789") == 0xe3069283U);
    CHECK(storage::crc32c(std::string(32, '\0')) == 0x8a9136aaU);
}

TEST_CASE("what was appended is read in order, segment by segment, until it is dropped") {
    const tests::Folder folder;
    const bool in_memory = GENERATE(false, true);
    auto journal = in_memory ? storage::make_memory_journal() : open(folder);
    const auto first = journal->segment();
    REQUIRE(journal->append("a"));
    REQUIRE(journal->append(std::string(100'000, 'b')));
    CHECK(read(*journal).records.empty());
    journal->cut();
    journal->cut();
    CHECK(journal->segment() == first + 1);
    CHECK(journal->bytes() == 0);
    REQUIRE(journal->append("c"));
    CHECK(journal->bytes() > 0);
    CHECK(read(*journal).records == Records{"a", std::string(100'000, 'b')});
    CHECK(journal->sync(first));
    journal->cut();
    REQUIRE(journal->drop(first));
    REQUIRE(journal->drop(first));
    CHECK(read(*journal).records == Records{"c"});
}

TEST_CASE("what was appended together is there in order, or taken back together") {
    const tests::Folder folder;
    const bool in_memory = GENERATE(false, true);
    auto journal = in_memory ? storage::make_memory_journal() : open(folder);
    REQUIRE(journal->append(Records{"a", "b"}));
    const auto bytes = journal->bytes();
    REQUIRE(journal->append(Records{"c", "d", "e"}));
    REQUIRE(journal->take_back());
    CHECK(journal->bytes() == bytes);
    REQUIRE(journal->append("f"));
    journal->cut();
    const auto found = read(*journal);
    CHECK(found.records == Records{"a", "b", "f"});
    CHECK(found.unread == 0);
}

TEST_CASE("to try whether it can be written leaves nothing that is read") {
    const tests::Folder folder;
    const bool in_memory = GENERATE(false, true);
    auto journal = in_memory ? storage::make_memory_journal() : open(folder);
    REQUIRE(journal->try_writing());
    CHECK(journal->bytes() == 0);
    REQUIRE(journal->append("a"));
    const auto bytes = journal->bytes();
    REQUIRE(journal->try_writing());
    CHECK(journal->bytes() == bytes);
    REQUIRE(journal->append("b"));
    journal->cut();
    REQUIRE(journal->try_writing());
    const auto found = read(*journal);
    CHECK(found.records == Records{"a", "b"});
    CHECK(found.unread == 0);
    if (in_memory) return;
    // What an end amid a try leaves is no record.
    write(folder, 90, std::string(1, '\0'));
    journal = open(folder);
    CHECK(read(*journal).records == Records{"a", "b"});
    CHECK(read(*journal).unread == 0);
}

TEST_CASE("numbers of segments are not given twice") {
    const tests::Folder folder;
    {
        const auto journal = open(folder);
        REQUIRE(journal->append("a"));
        CHECK(journal->segment() == 1);
    }
    const auto journal = open(folder);
    CHECK(journal->segment() == 2);
    CHECK(read(*journal).records == Records{"a"});
    journal->start_after(1);
    CHECK(journal->segment() == 2);
    journal->start_after(9);
    CHECK(journal->segment() == 10);
}

TEST_CASE("what was appended is there when the process was killed behind it") {
    const tests::Folder folder;
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        auto journal = storage::open_journal(folder / "journal");
        for (int i = 0; i < 100; ++i)
            if (!(*journal)->append("record " + std::to_string(i))) ::_exit(1);
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    const auto found = read(*open(folder));
    CHECK(found.records.size() == 100);
    CHECK(found.unread == 0);
}

TEST_CASE("a record that the end of the file cuts short was never appended") {
    const tests::Folder folder;
    {
        const auto journal = open(folder);
        for (const auto* record : {"one", "two", "three"}) REQUIRE(journal->append(record));
    }
    const auto whole = tests::read_file(folder / "journal/1");
    REQUIRE(whole.size() == 3 * 8 + 11);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        write(folder, 1, whole.substr(0, size));
        const auto found = read(*open(folder));
        CAPTURE(size);
        CHECK(found.records.size() == (size < 11 ? 0 : size < 22 ? 1 : 2));
        CHECK(found.unread == 0);
    }
}

TEST_CASE("damage is counted, and nothing behind it is believed") {
    const tests::Folder folder;
    {
        const auto journal = open(folder);
        for (int i = 0; i < 20; ++i) REQUIRE(journal->append("record " + std::to_string(i)));
    }
    const auto whole = tests::read_file(folder / "journal/1");
    const auto seed = GENERATE(tests::seeds(30));
    CAPTURE(seed);
    cdp::Random random(seed);
    auto bytes = whole;
    bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
    write(folder, 1, bytes);
    const auto found = read(*open(folder));
    CHECK(found.records.size() < 20);
    for (std::size_t i = 0; i < found.records.size(); ++i)
        CHECK(found.records[i] == "record " + std::to_string(i));
    // A length that grew beyond the file looks like a record cut short; zeros never do.
    write(folder, 1, whole + std::string(4096, '\0'));
    CHECK(read(*open(folder)).unread == 4096);
}

TEST_CASE("a disk that takes no more refuses the record and keeps those before and behind") {
    const tests::Folder folder;
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto limit = [&](rlim_t bytes) {
        const rlimit to{bytes, before.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &to) == 0);
    };
    const auto journal = open(folder);
    REQUIRE(journal->append("first"));
    // In the middle of the next one.
    limit(20);
    const auto refused = journal->append("second, which does not fit");
    limit(before.rlim_cur);
    CHECK_FALSE(refused);
    REQUIRE(journal->append("third"));
    journal->cut();
    const auto found = read(*journal);
    CHECK(found.records == Records{"first", "third"});
    CHECK(found.unread == 0);
}
