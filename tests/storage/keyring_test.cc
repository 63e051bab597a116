#include "storage/keyring.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "tests/storage/folder.h"

namespace {

using namespace tests;
using storage::Keyring;

std::string refusal(const std::string& path) {
    const auto keyring = storage::read_keyring(path);
    return keyring ? "read" : keyring.error().reason;
}

void write_keyring_text(const std::string& path, const std::string& text) {
    write_file(path, text);
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
}

TEST_CASE("a keyring is read back as it was written") {
    const Folder folder;
    auto keyring = Keyring::generate();
    keyring.epochs[7] = keyring.rank_key;
    keyring.epochs[10] = keyring.token_key;
    REQUIRE(storage::write_keyring(folder / "keyring", keyring));
    const auto read = storage::read_keyring(folder / "keyring");
    REQUIRE(read);
    CHECK(read->token_key == keyring.token_key);
    CHECK(read->rank_key == keyring.rank_key);
    CHECK(read->secret_key == keyring.secret_key);
    CHECK(read->epochs == keyring.epochs);
    CHECK(read->fingerprint == keyring.fingerprint);
}

TEST_CASE("two keyrings share nothing, and a fingerprint is no key") {
    const auto one = Keyring::generate();
    const auto two = Keyring::generate();
    CHECK(one.token_key != two.token_key);
    CHECK(one.fingerprint != two.fingerprint);
    CHECK(one.token_key != one.rank_key);
    CHECK(one.fingerprint.size() == 32);
}

TEST_CASE("a keyring is never overwritten") {
    const Folder folder;
    REQUIRE(storage::write_keyring(folder / "keyring", Keyring::generate()));
    const auto before = read_file(folder / "keyring");
    CHECK_FALSE(storage::write_keyring(folder / "keyring", Keyring::generate()));
    CHECK(read_file(folder / "keyring") == before);
}

TEST_CASE("a keyring with any byte changed, cut anywhere or with more at its end is refused") {
    const Folder folder;
    REQUIRE(storage::write_keyring(folder / "keyring", Keyring::generate()));
    const auto text = read_file(folder / "keyring");
    for (std::size_t at = 0; at < text.size(); ++at) {
        CAPTURE(at);
        auto changed = text;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        write_keyring_text(folder / "changed", changed);
        REQUIRE(refusal(folder / "changed") == "keyring_damaged");
        write_keyring_text(folder / "changed", text.substr(0, at));
        REQUIRE(refusal(folder / "changed") == "keyring_damaged");
    }
    for (const char* more : {"\n", "x", "epoch.2 = 00\n"}) {
        write_keyring_text(folder / "changed", text + more);
        CHECK(refusal(folder / "changed") == "keyring_damaged");
    }
    write_keyring_text(folder / "changed", text);
    CHECK(refusal(folder / "changed") == "read");
}

}  // namespace
