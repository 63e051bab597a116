#include "storage/escrow.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "storage/file.h"
#include "tests/storage/folder.h"

namespace {

using namespace tests;
using storage::EscrowPair;
using storage::Keyring;

std::string reason_of(const std::string& text, const storage::SecretKey& key) {
    const auto opened = storage::open_escrow(text, key);
    return opened ? "opened" : opened.error().reason;
}

std::string private_refusal(const std::string& path) {
    const auto key = storage::read_private_half(path);
    return key ? "read" : key.error().reason;
}

TEST_CASE("an escrow gives the whole keyring back to who holds the private half") {
    const auto pair = EscrowPair::generate();
    auto keyring = Keyring::generate("shop.example/ledger");
    keyring.add_epoch();
    const auto text = storage::seal_escrow(keyring, pair.recipient).value();
    const auto opened = storage::open_escrow(text, pair.private_half).value();
    CHECK(render_keyring(opened) == render_keyring(keyring));
    CHECK(opened.fingerprint == keyring.fingerprint);
    // None of its keys is there to be read.
    CHECK(text.find(render_keyring(keyring).substr(20, 60)) == std::string::npos);
    CHECK(storage::seal_escrow(keyring, pair.recipient).value() != text);
}

TEST_CASE("an escrow with any byte changed, cut anywhere or with more at its end is refused") {
    const auto pair = EscrowPair::generate();
    const auto text = storage::seal_escrow(Keyring::generate(), pair.recipient).value();
    for (std::size_t at = 0; at < text.size(); at += 7) {
        CAPTURE(at);
        auto changed = text;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        REQUIRE(reason_of(changed, pair.private_half) == "escrow_damaged");
        REQUIRE(reason_of(text.substr(0, at), pair.private_half) == "escrow_damaged");
    }
    CHECK(reason_of(text + "\n", pair.private_half) == "escrow_damaged");
    CHECK(reason_of("", pair.private_half) == "escrow_damaged");
}

TEST_CASE("an escrow for somebody else, or one that is not there, is refused by name") {
    const Folder folder;
    const auto pair = EscrowPair::generate();
    const auto text = storage::seal_escrow(Keyring::generate(), pair.recipient).value();
    CHECK(reason_of(text, EscrowPair::generate().private_half) == "escrow_foreign");
    CHECK(storage::read_escrow(folder / "none", pair.private_half).error().reason ==
          "escrow_missing");
    // A point of small order: what is sealed for it anybody could open.
    CHECK(storage::seal_escrow(Keyring::generate(), {}).error().reason == "recipient_weak");
}

TEST_CASE("a recipient is 64 hexadecimal digits") {
    const auto pair = EscrowPair::generate();
    const auto hex = storage::to_hex(pair.recipient);
    CHECK(storage::parse_recipient(hex) == pair.recipient);
    for (const auto& bad : {std::string(), hex.substr(1), hex + "00", "x" + hex.substr(1)})
        CHECK_FALSE(storage::parse_recipient(bad));
}

TEST_CASE("a private half that is missing, damaged or open to others is refused") {
    const Folder folder;
    const auto pair = EscrowPair::generate();
    const auto path = folder / "private";
    CHECK(private_refusal(path) == "private_key_missing");
    REQUIRE(storage::write_private_half(path, pair.private_half));
    CHECK(storage::read_private_half(path).value() == pair.private_half);
    CHECK_FALSE(storage::write_private_half(path, pair.private_half));
    REQUIRE(::chmod(path.c_str(), 0640) == 0);
    CHECK(private_refusal(path) == "private_key_exposed");
    const auto text = read_file(path);
    for (const auto& wrong : {text.substr(1), text.substr(0, text.size() - 1), std::string()}) {
        write_file(path, wrong);
        REQUIRE(::chmod(path.c_str(), 0600) == 0);
        CHECK(private_refusal(path) == "private_key_damaged");
    }
}

TEST_CASE("a file that takes the place of another leaves neither its name nor its bytes") {
    const Folder folder;
    const auto path = folder / "file";
    REQUIRE(storage::write_new_file(path, "the old bytes"));
    // Another name of the same bytes, to see what becomes of them.
    REQUIRE(::link(path.c_str(), (folder / "seen").c_str()) == 0);
    REQUIRE(storage::replace_file(path, "the new ones"));
    CHECK(read_file(path) == "the new ones");
    CHECK(read_file(folder / "seen") == std::string(13, '\0'));
    CHECK_FALSE(std::filesystem::exists(path + ".new"));
    // What a crash left on the way is in nobody's.
    write_file(path + ".new", "half of it");
    REQUIRE(storage::replace_file(path, "the newest"));
    CHECK(read_file(path) == "the newest");
    CHECK_FALSE(std::filesystem::exists(path + ".new"));
    // Only of a plain file.
    std::filesystem::create_directory(folder / "folder");
    std::filesystem::create_symlink(path, folder / "link");
    for (const auto* other : {"folder", "link"})
        CHECK_FALSE(storage::replace_file(folder / other, "not here"));
    CHECK(read_file(path) == "the newest");
    REQUIRE(storage::replace_file(folder / "first", "of its name"));
    CHECK(read_file(folder / "first") == "of its name");
}

}  // namespace
