#include <atomic>
#include <filesystem>
#include <thread>

#include <catch2/catch.hpp>

#include "cdp/base/bytes.h"
#include "storage/backup_keys.h"
#include "storage/backup_repo.h"
#include "storage/database_files.h"
#include "storage/folder_claim.h"
#include "storage/sealed_file.h"
#include "storage/vault.h"
#include "tests/storage/stores.h"
#include "tests/support/held.h"
#include "tests/support/keyring.h"

// Sealed files open as they were written or not at all; a copy of a store is of one moment.

namespace {

using namespace tests;
namespace fs = std::filesystem;
using storage::BackupRepo;

struct Sealed {
    Folder folder;
    storage::Vault vault{fixed_keyring()};
    storage::SubjectKey key = vault.own_key("test");
    std::string path = folder / "file";

    std::string read(const std::string& label = "a file") const {
        const auto plain = storage::read_sealed(path, key, label);
        return plain ? *plain : plain.error().reason;
    }
};

std::string bytes_of(std::size_t n) {
    std::string bytes(n, '\0');
    for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<char>(i * 31 + i / 253);
    return bytes;
}

BackupRepo repo_in(const std::string& path, const storage::Vault& vault) {
    auto repo = BackupRepo::open_or_make(path, vault, "test", "/keyring");
    if (!repo) FAIL(repo.error().reason + " " + repo.error().detail);
    return *std::move(repo);
}

const storage::BytesDone kGoOn = [](std::uint64_t) { return true; };

}  // namespace

TEST_CASE("what was sealed in pieces opens as it was, whatever its length") {
    Sealed sealed;
    constexpr auto kPiece = storage::kPieceBytes;
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, kPiece - 1, kPiece, kPiece + 1,
                                3 * kPiece, 3 * kPiece + 17}) {
        CAPTURE(n);
        const auto plain = bytes_of(n);
        REQUIRE(storage::write_sealed(sealed.path, sealed.key, "a file", plain));
        CHECK(fs::file_size(sealed.path) == storage::sealed_size(n));
        CHECK(sealed.read() == plain);
        CHECK(sealed.read("another file") == "backup_damaged");
    }
}

TEST_CASE("a sealed file with any byte changed, cut or added does not open") {
    Sealed sealed;
    REQUIRE(storage::write_sealed(sealed.path, sealed.key, "a file", bytes_of(300)));
    const auto whole = read_file(sealed.path);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        CAPTURE(i);
        auto other = whole;
        other[i] = static_cast<char>(other[i] ^ 1);
        write_file(sealed.path, other);
        CHECK(sealed.read() == "backup_damaged");
        write_file(sealed.path, whole.substr(0, i));
        CHECK(sealed.read() == "backup_damaged");
    }
    write_file(sealed.path, whole + "x");
    CHECK(sealed.read() == "backup_damaged");
}

TEST_CASE("a sealed file cut between two pieces does not open") {
    Sealed sealed;
    REQUIRE(storage::write_sealed(sealed.path, sealed.key, "a file",
                                  bytes_of(3 * storage::kPieceBytes)));
    const auto whole = read_file(sealed.path);
    for (const std::uint64_t pieces : {1, 2}) {
        write_file(sealed.path,
                   whole.substr(0, storage::sealed_size(pieces * storage::kPieceBytes)));
        CHECK(sealed.read() == "backup_damaged");
    }
}

TEST_CASE("a copy of a store is of one moment, while commits go on") {
    Folder folder;
    const auto store = new_rocks(folder);
    std::atomic<bool> stop = false;
    std::atomic<std::uint64_t> committed = 0;
    // Two rows of two families in each commit: a copy has both or neither.
    std::jthread writer([&] {
        for (std::uint64_t n = 0; !stop; ++n) {
            const auto snapshot = store->snapshot();
            storage::Transaction transaction(*snapshot, storage::kPartition);
            transaction.put(key(storage::Space::event, n, 1), "event");
            transaction.put(key(storage::Space::trait, n, 1), "trait");
            if (commit_and_wait(*store, std::move(transaction)).state == storage::CommitState::ok)
                committed = n + 1;
        }
    });
    for (int round = 0; round < 5; ++round) {
        const auto at_least = committed.load();
        const auto copy = storage::StoreCopy::make(*store, folder / "scratch");
        REQUIRE(copy);
        std::uint64_t events = 0;
        std::uint64_t traits = 0;
        const auto count = [&](storage::Space space, std::uint64_t& rows) {
            REQUIRE((*copy)->snapshot().scan(
                storage::space_prefix(space), "",
                [&](std::string_view, std::string_view) { return ++rows > 0; }));
        };
        count(storage::Space::event, events);
        count(storage::Space::trait, traits);
        CHECK(events == traits);
        CHECK(events >= at_least);
        CHECK((*copy)->sequence() == 2 * events);
        CHECK_FALSE((*copy)->files()->empty());
    }
    stop = true;
    writer.join();
    CHECK_FALSE(fs::exists(folder / "scratch"));
}

TEST_CASE("a store in memory has no files") {
    const auto store = storage::make_memory_store();
    CHECK(storage::files_of(*store).error().reason == "no_files");
}

TEST_CASE("a scrub names a table with a flipped byte") {
    Folder folder;
    {
        const auto store = new_rocks(folder);
        for (std::uint64_t n = 0; n < 100; ++n)
            put(*store, key(storage::Space::event, n, 1), std::string(500, 'e'));
        // Linking writes the tables.
        REQUIRE(storage::StoreCopy::make(*store, folder / "scratch"));
        REQUIRE((*storage::files_of(*store))->scrub());
    }
    const auto store = open_rocks(folder);
    bool flipped = false;
    for (const auto& entry : fs::directory_iterator(folder / "db")) {
        if (entry.path().extension() != ".sst" || entry.file_size() < 10'000) continue;
        auto bytes = read_file(entry.path());
        bytes[5'000] = static_cast<char>(bytes[5'000] ^ 1);
        write_file(entry.path(), bytes);
        flipped = true;
    }
    REQUIRE(flipped);
    const auto scrubbed = (*storage::files_of(*store))->scrub();
    REQUIRE_FALSE(scrubbed);
    CHECK(scrubbed.error().reason == "store_damaged");
    CHECK(scrubbed.error().detail.find(".sst") != std::string::npos);
}

TEST_CASE("a repository belongs to one keyring and one format, and is nothing else's folder") {
    Folder folder;
    const storage::Vault vault(fixed_keyring());
    const auto path = folder / "repo";
    CHECK(BackupRepo::open(path, vault, "test").error().reason == "backup_missing");
    repo_in(path, vault);
    CHECK(BackupRepo::keyring_path(path).value() == "/keyring");
    CHECK(BackupRepo::open(path, vault, "other").error().reason == "backup_foreign");
    CHECK(BackupRepo::open_or_make(path, vault, "other", "").error().reason == "backup_foreign");

    const auto whole = read_file(path + "/FORMAT");
    for (std::size_t i = 0; i < whole.size(); ++i) {
        CAPTURE(i);
        auto other = whole;
        other[i] = static_cast<char>(other[i] ^ 1);
        write_file(path + "/FORMAT", other);
        CHECK(BackupRepo::open(path, vault, "test").error().reason == "backup_damaged");
        write_file(path + "/FORMAT", whole.substr(0, i));
        CHECK(BackupRepo::open(path, vault, "test").error().reason == "backup_damaged");
    }
    fs::create_directory(folder / "full");
    write_file(folder / "full/letter", "dear");
    CHECK(BackupRepo::open_or_make(folder / "full", vault, "test", "").error().reason ==
          "dir_not_empty");
}

TEST_CASE("a file is added once, under a name that its bytes have under this keyring alone") {
    Folder folder;
    const storage::Vault vault(fixed_keyring());
    const auto repo = repo_in(folder / "repo", vault);
    write_file(folder / "a", bytes_of(100'000));
    write_file(folder / "b", bytes_of(100'000));
    const auto first = repo.add_file(folder.path(), "a", kGoOn).value();
    CHECK(first.copied);
    CHECK(first.file.bytes == 100'000);
    const auto second = repo.add_file(folder.path(), "b", kGoOn).value();
    CHECK_FALSE(second.copied);
    CHECK(second.file.sealed == first.file.sealed);
    REQUIRE(repo.verify_file(first.file, kGoOn));

    auto keyring = fixed_keyring();
    keyring.token_key.fill(9);
    keyring.secret_key.fill(9);
    const storage::Vault other(keyring);
    const auto elsewhere = repo_in(folder / "other", other);
    CHECK(elsewhere.add_file(folder.path(), "a", kGoOn)->file.sealed != first.file.sealed);
}

TEST_CASE("records of erasures are all there or missed") {
    Folder folder;
    const storage::Vault vault(fixed_keyring());
    const auto repo = repo_in(folder / "repo", vault);
    for (const char* record : {"one", "two", "three"}) REQUIRE(repo.add_erasures(record));
    CHECK(repo.erasures(3).value() == std::vector<std::string>{"one", "two", "three"});
    CHECK(repo.erasures(4).error().reason == "backup_damaged");
    const auto second = folder / "repo/erasures/000000000002";
    const auto bytes = read_file(second);
    fs::remove(second);
    CHECK(repo.erasures(0).error().reason == "backup_damaged");
    // Neither can one stand in for another.
    fs::copy_file(folder / "repo/erasures/000000000001", second);
    CHECK(repo.erasures(0).error().reason == "backup_damaged");
    write_file(second, bytes);
    CHECK(repo.erasures(0).value().size() == 3);
}

TEST_CASE("paths lie within folders by what they are, not by how they begin") {
    Folder folder;
    fs::create_directories(folder / "data/deep");
    fs::create_directories(folder / "data2");
    fs::create_symlink(folder / "data", folder / "link");
    const auto data = folder / "data";
    CHECK(storage::lies_within(data, data));
    CHECK(storage::lies_within(data + "/", data));
    CHECK(storage::lies_within(data, data + "/"));
    CHECK(storage::lies_within(data + "/deep/not/there", data));
    CHECK(storage::lies_within(folder / "link/x", data));
    CHECK(storage::lies_within(data + "/../data/x", data));
    CHECK_FALSE(storage::lies_within(folder / "data2", data));
    CHECK_FALSE(storage::lies_within(folder.path(), data));
    CHECK_FALSE(storage::lies_within(data + "/../x", data));
}

TEST_CASE("a file of keys that holds anything but subjects' keys in their order is damaged") {
    struct Case {
        const char* what;
        std::vector<std::string> keys;
        bool whole;
    };
    const auto of = [](std::uint64_t n) { return group(storage::Space::subject_key, n); };
    const auto row = GENERATE_COPY(values<Case>({
        {"none", {}, true},
        {"two", {of(1), of(2)}, true},
        {"no key", {""}, false},
        {"one cut short", {of(1).substr(0, 3)}, false},
        {"one with more behind it", {of(1) + "x"}, false},
        {"one of another space", {group(storage::Space::event, 1)}, false},
        {"one of another partition", {"\1" + of(1).substr(1)}, false},
        {"one twice", {of(1), of(1)}, false},
        {"two the wrong way round", {of(2), of(1)}, false},
    }));
    CAPTURE(row.what);
    const Folder folder;
    const storage::Vault vault(fixed_keyring());
    const auto repo = repo_in(folder / "backups", vault);
    const std::string id = "20261122T094033123Z-00000000";
    // A value that begins as a key does.
    const auto value = of(3);
    cdp::ByteWriter plain;
    plain.u8(1).u32(1).u32(1);
    for (const auto& one : row.keys)
        plain.u16(static_cast<std::uint16_t>(one.size()))
            .u16(static_cast<std::uint16_t>(value.size()))
            .raw(one)
            .raw(value);
    plain.u16(0).u16(0).u64(row.keys.size());
    REQUIRE(storage::write_sealed(repo.keys_path(id), repo.key(), BackupRepo::keys_label(id),
                                  plain.str()));

    const auto store = storage::make_memory_store();
    const auto put = storage::put_keys(*store, repo, id);
    CHECK((put ? "" : put.error().reason) == (row.whole ? "" : "backup_damaged"));
    CHECK(bool(storage::count_keys(repo, id)) == row.whole);
}

TEST_CASE("a file of keys that does not open leaves nothing in memory") {
    const Folder folder;
    const storage::Vault vault(fixed_keyring());
    const auto repo = repo_in(folder / "backups", vault);
    const auto open = [&] {
        return storage::KeysReader::open(repo, "20261122T094033123Z-00000000");
    };
    REQUIRE(open().error().reason == "backup_damaged");
    CHECK(left_behind(1'000, open) < 50'000);
}
