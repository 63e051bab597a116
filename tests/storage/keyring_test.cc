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
    CHECK(read->ledger == keyring.ledger);
    CHECK(read->tenant() == keyring.tenant());
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

TEST_CASE("a keyring from before the ledger still reads, and is given a key in place") {
    const Folder folder;
    auto keyring = Keyring::generate();
    keyring.ledger.reset();
    REQUIRE(storage::write_keyring(folder / "keyring", keyring));
    auto read = storage::read_keyring(folder / "keyring");
    REQUIRE(read);
    CHECK_FALSE(read->ledger);
    read->renew_ledger_key();
    REQUIRE(storage::replace_keyring(folder / "keyring", *read));
    const auto again = storage::read_keyring(folder / "keyring");
    REQUIRE(again);
    CHECK(again->ledger == read->ledger);
    CHECK(again->ledger->origin.starts_with("cdp.local/ledger/"));
    CHECK(again->fingerprint == keyring.fingerprint);
}

TEST_CASE("a new ledger key keeps the ledger's name, and a keyring keeps the name it was given") {
    auto keyring = Keyring::generate("shop.example/ledger");
    const auto first = *keyring.ledger;
    CHECK(first.origin == "shop.example/ledger");
    keyring.renew_ledger_key();
    CHECK(keyring.ledger->origin == first.origin);
    CHECK(keyring.ledger->seed != first.seed);
    for (const auto* bad : {"", "a b", "a+b", "a=b", "a\n", "\xc3\xa9"})
        CHECK_FALSE(storage::is_ledger_origin(bad));
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
