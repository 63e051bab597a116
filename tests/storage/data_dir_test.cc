#include "storage/data_dir.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <catch2/catch.hpp>

#include "storage/vault.h"
#include "tests/storage/folder.h"
#include "tests/storage/stores.h"

namespace {

using namespace tests;
using storage::DataDir;
using storage::Space;

DataDir made(const Folder& folder) {
    DataDir dir{.path = folder / "data", .keyring_path = ""};
    const auto created = storage::create_data_dir(dir);
    if (!created) FAIL(created.error().reason + ": " + created.error().detail);
    return dir;
}

std::string refusal(const DataDir& dir) {
    const auto opened = storage::open_data_dir(dir);
    return opened ? "opened" : opened.error().reason;
}

// The reason, and that it was given before a byte was written.
std::string untouched_refusal(const Folder& folder, const DataDir& dir) {
    const auto before = contents(folder.path());
    auto reason = refusal(dir);
    return contents(folder.path()) == before ? reason : reason + ", but wrote";
}

TEST_CASE("a data folder that was made opens again, with what was written") {
    const Folder folder;
    const DataDir dir = made(folder);
    for (const char* value : {"one", "two"}) {
        const auto opened = storage::open_data_dir(dir);
        REQUIRE(opened);
        CHECK(put(*opened->store, key(Space::node, 1, 1), value).state == storage::CommitState::ok);
    }
    CHECK(get(*storage::open_data_dir(dir)->store, key(Space::node, 1, 1)) == "two");
}

TEST_CASE("a data folder and its keyring are closed to others") {
    const Folder folder;
    const DataDir dir = made(folder);
    struct stat status{};
    REQUIRE(::stat(dir.path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0700);
    REQUIRE(::stat((dir.path + "/keyring").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("a data folder can be moved together with its keyring") {
    const Folder folder;
    const DataDir dir = made(folder);
    std::filesystem::rename(dir.path, folder / "elsewhere");
    CHECK(refusal({.path = folder / "elsewhere", .keyring_path = ""}) == "opened");
}

TEST_CASE("a keyring elsewhere is found again, and another place can be named") {
    const Folder folder;
    const DataDir dir{.path = folder / "data", .keyring_path = folder / "secret"};
    REQUIRE(storage::create_data_dir(dir));
    CHECK(refusal({.path = dir.path, .keyring_path = ""}) == "opened");
    std::filesystem::rename(folder / "secret", folder / "moved");
    CHECK(refusal({.path = dir.path, .keyring_path = ""}) == "keyring_missing");
    CHECK(refusal({.path = dir.path, .keyring_path = folder / "moved"}) == "opened");
}

TEST_CASE("nothing is made in a folder that is not empty, or over a keyring") {
    const Folder folder;
    std::filesystem::create_directory(folder / "data");
    write_file(folder / "data/note", "mine");
    write_file(folder / "secret", "mine");
    const auto before = contents(folder.path());
    const auto over_folder =
        storage::create_data_dir({.path = folder / "data", .keyring_path = ""});
    REQUIRE(!over_folder);
    CHECK(over_folder.error().reason == "dir_not_empty");
    const auto over_keyring =
        storage::create_data_dir({.path = folder / "new", .keyring_path = folder / "secret"});
    REQUIRE(!over_keyring);
    CHECK(over_keyring.error().reason == "file_exists");
    CHECK(contents(folder.path()) == before);
}

TEST_CASE("a folder without FORMAT is not opened, and nothing is made in it") {
    const Folder folder;
    CHECK(untouched_refusal(folder, {.path = folder / "absent", .keyring_path = ""}) ==
          "not_a_data_dir");
    const DataDir dir = made(folder);
    std::filesystem::remove(dir.path + "/FORMAT");
    CHECK(untouched_refusal(folder, dir) == "not_a_data_dir");
}

TEST_CASE("a newer format is refused before a byte is written, whatever else it holds") {
    const Folder folder;
    const DataDir dir = made(folder);
    write_file(dir.path + "/FORMAT", "shape = round\nformat = 3\n");
    CHECK(untouched_refusal(folder, dir) == "format_newer");
}

TEST_CASE("a FORMAT that cannot be read is refused") {
    const Folder folder;
    const DataDir dir = made(folder);
    const auto text = GENERATE(as<std::string>{}, "", "format = 0\n", "format = 1\n",
                               "format = one\n", "format = 1x\nkeyring = keyring\n");
    CAPTURE(text);
    write_file(dir.path + "/FORMAT", text);
    CHECK(untouched_refusal(folder, dir) == "store_damaged");
}

TEST_CASE("a keyring that others can read is refused") {
    const Folder folder;
    const DataDir dir = made(folder);
    const auto mode = GENERATE(as<mode_t>{}, 0644, 0640, 0604, 0620, 0601);
    CAPTURE(mode);
    REQUIRE(::chmod((dir.path + "/keyring").c_str(), mode) == 0);
    CHECK(untouched_refusal(folder, dir) == "keyring_exposed");
}

TEST_CASE("a keyring that is a link, a folder or another user's is refused") {
    const Folder folder;
    const DataDir dir = made(folder);
    const auto keyring = dir.path + "/keyring";
    SECTION("a link") {
        std::filesystem::rename(keyring, folder / "real");
        std::filesystem::create_symlink(folder / "real", keyring);
        CHECK(untouched_refusal(folder, dir) == "keyring_exposed");
    }
    SECTION("a folder") {
        std::filesystem::remove(keyring);
        std::filesystem::create_directory(keyring);
        CHECK(untouched_refusal(folder, dir) == "keyring_exposed");
    }
    SECTION("another user's") {
        if (::chown(keyring.c_str(), 65534, 65534) != 0) return;  // needs root
        CHECK(untouched_refusal(folder, dir) == "keyring_exposed");
    }
}

TEST_CASE("a keyring that is missing, or of another data folder, is refused") {
    const Folder folder;
    const DataDir dir = made(folder);
    std::filesystem::remove(dir.path + "/keyring");
    CHECK(untouched_refusal(folder, dir) == "keyring_missing");
    REQUIRE(storage::write_keyring(dir.path + "/keyring", storage::Keyring::generate()));
    CHECK(untouched_refusal(folder, dir) == "keyring_foreign");
}

TEST_CASE("a keyring that is cut or edited is refused") {
    const Folder folder;
    const DataDir dir = made(folder);
    const auto path = dir.path + "/keyring";
    const auto text = read_file(path);
    for (const auto& wrong : {text.substr(0, text.size() / 2), text.substr(1), std::string()}) {
        write_file(path, wrong);
        CHECK(untouched_refusal(folder, dir) == "keyring_damaged");
    }
    write_file(path, text);
    CHECK(storage::open_data_dir(dir));
}

TEST_CASE("a data folder that is open is refused to a second opener") {
    const Folder folder;
    const DataDir dir = made(folder);
    const auto first = storage::open_data_dir(dir);
    REQUIRE(first);
    CHECK(refusal(dir) == "dir_locked");
    CHECK(put(*first->store, key(Space::node, 1, 1), "still mine").state ==
          storage::CommitState::ok);
}

TEST_CASE("no file of a data folder holds the plain text of a sealed value or an identifier") {
    const Folder folder;
    const DataDir dir = made(folder);
    const std::string email = "a@shop.example";
    const std::string secret = "the quick brown fox jumps over the lazy dog";
    {
        const auto opened = storage::open_data_dir(dir);
        REQUIRE(opened);
        const storage::Vault vault(opened->keyring);
        const auto subject = vault.token("email", email);
        const auto row = storage::KeyWriter(Space::node, subject).str();
        const auto snapshot = opened->store->snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const auto subject_key = vault.find_or_make(transaction, subject);
        REQUIRE(subject_key);
        transaction.put(row, storage::Vault::seal(*subject_key, row, email + secret));
        REQUIRE(commit_and_wait(*opened->store, std::move(transaction)).state ==
                storage::CommitState::ok);
        REQUIRE(put(*opened->store, key(Space::meta, 1, 1), "a value in the clear").state ==
                storage::CommitState::ok);
    }
    const auto all = contents(folder.path());
    CHECK(all.find(email) == std::string::npos);
    CHECK(all.find("quick brown") == std::string::npos);
    CHECK(all.find("a value in the clear") != std::string::npos);  // the search can find
}

}  // namespace
