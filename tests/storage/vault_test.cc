#include "storage/vault.h"

#include <set>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/storage/stores.h"

namespace {

using namespace tests;
using storage::CommitState;
using storage::Keyring;
using storage::kPartition;
using storage::Space;
using storage::Store;
using storage::SubjectKey;
using storage::Transaction;
using storage::Vault;

SubjectKey some_key(std::uint8_t n) {
    storage::SecretKey bytes{};
    bytes.fill(n);
    return SubjectKey(bytes);
}

// Makes the subject's key and commits it.
SubjectKey make(Store& store, const Vault& vault, const cdp::Token& subject) {
    const auto snapshot = store.snapshot();
    Transaction transaction(*snapshot, kPartition);
    const auto key = vault.find_or_make(transaction, subject).value();
    REQUIRE(commit_and_wait(store, std::move(transaction)).state == CommitState::ok);
    return key;
}

void destroy(Store& store, const cdp::Token& subject) {
    const auto snapshot = store.snapshot();
    Transaction transaction(*snapshot, kPartition);
    transaction.erase(storage::KeyWriter(Space::subject_key, subject).str());
    REQUIRE(commit_and_wait(store, std::move(transaction)).state == CommitState::ok);
}

std::optional<storage::SecretKey> find(const Store& store, const Vault& vault,
                                       const cdp::Token& subject) {
    const auto key = vault.find(*store.snapshot(), subject).value();
    return key ? std::optional(key->bytes()) : std::nullopt;
}

TEST_CASE("what was sealed opens again, of any length") {
    const auto size = GENERATE(as<std::size_t>{}, 0, 1, 31, 256, 60'000);
    const std::string plain(size, 'p');
    const auto sealed = Vault::seal(some_key(1), "row", plain);
    CHECK(sealed.size() == size + 1 + 24 + 16);
    CHECK(Vault::open(some_key(1), "row", sealed).value() == plain);
}

TEST_CASE("a key of the server's own is the same again, and another for another name or keyring") {
    Keyring keyring;
    keyring.epochs[1].fill(1);
    keyring.secret_key.fill(2);
    const Vault vault(keyring);
    CHECK(vault.own_key("a").bytes() == Vault(keyring).own_key("a").bytes());
    CHECK(vault.own_key("a").bytes() != vault.own_key("b").bytes());
    keyring.secret_key.fill(3);
    CHECK(vault.own_key("a").bytes() != Vault(keyring).own_key("a").bytes());
}

TEST_CASE("a sealed value opens neither in another row nor under another key") {
    const auto sealed = Vault::seal(some_key(1), "row", "value");
    CHECK_FALSE(Vault::open(some_key(1), "another row", sealed));
    CHECK_FALSE(Vault::open(some_key(2), "row", sealed));
}

TEST_CASE("a sealed value with any bit flipped, or cut anywhere, does not open") {
    const auto sealed = Vault::seal(some_key(1), "row", "value");
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        auto flipped = sealed;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        const auto opened = Vault::open(some_key(1), "row", flipped);
        REQUIRE_FALSE(opened);
        REQUIRE(opened.error().code == cdp::ErrorCode::corruption);
    }
    for (std::size_t size = 0; size < sealed.size(); ++size)
        REQUIRE_FALSE(Vault::open(some_key(1), "row", sealed.substr(0, size)));
}

TEST_CASE("the same value is never sealed to the same bytes") {
    CHECK(Vault::seal(some_key(1), "row", "value") != Vault::seal(some_key(1), "row", "value"));
}

TEST_CASE("a token depends on the type, the normal form and the keyring, and on nothing else") {
    const auto keyring = Keyring::generate();
    const Vault vault(keyring);
    const Vault same(keyring);
    const Vault other(Keyring::generate());
    const auto token = vault.token("email", "a@shop.example");
    CHECK(token == same.token("email", "a@shop.example"));
    CHECK(token != vault.token("phone", "a@shop.example"));
    CHECK(token != vault.token("email", "b@shop.example"));
    CHECK(token != vault.token("emaila", "@shop.example"));
    CHECK(token != other.token("email", "a@shop.example"));
    CHECK(token.view() != vault.rank("email", "a@shop.example").view());
    CHECK(token != vault.hash<cdp::Token>("email", "a@shop.example"));
    CHECK(vault.hash<cdp::EventId>("event", "m1") != vault.hash<cdp::EventId>("trait", "m1"));
    CHECK(vault.access_key_hash("k") != vault.token("", "k"));
}

TEST_CASE("a new epoch changes no token and no fingerprint") {
    const Folder folder;
    auto keyring = Keyring::generate();
    const auto before = Vault(keyring).token("email", "a@shop.example");
    keyring.epochs[2] = Keyring::generate().epochs.at(1);
    CHECK(Vault(keyring).token("email", "a@shop.example") == before);
    REQUIRE(storage::write_keyring(folder / "keyring", keyring));
    CHECK(storage::read_keyring(folder / "keyring")->fingerprint == keyring.fingerprint);
}

TEST_CASE("a subject has one key, found by whoever has the keyring") {
    const auto keyring = Keyring::generate();
    const auto store = storage::make_memory_store();
    const Vault vault(keyring);
    CHECK(find(*store, vault, token(1)) == std::nullopt);
    const auto made = make(*store, vault, token(1)).bytes();
    CHECK(find(*store, vault, token(1)) == made);
    CHECK(find(*store, vault, token(1)) == made);  // from the cache
    CHECK(find(*store, Vault(keyring), token(1)) == made);
    CHECK(make(*store, vault, token(1)).bytes() == made);
    CHECK(make(*store, vault, token(2)).bytes() != made);
}

TEST_CASE("within one transaction a subject is made one key") {
    const auto store = storage::make_memory_store();
    const Vault vault(Keyring::generate());
    const auto snapshot = store->snapshot();
    Transaction transaction(*snapshot, kPartition);
    const auto first = vault.find_or_make(transaction, token(1));
    const auto second = vault.find_or_make(transaction, token(1));
    CHECK(first->bytes() == second->bytes());
    CHECK(transaction.writes().size() == 1);
}

TEST_CASE("two makers of one subject's key conflict") {
    const auto store = storage::make_memory_store();
    const Vault vault(Keyring::generate());
    const auto snapshot = store->snapshot();
    Transaction first(*snapshot, kPartition);
    Transaction second(*snapshot, kPartition);
    REQUIRE(vault.find_or_make(first, token(1)));
    REQUIRE(vault.find_or_make(second, token(1)));
    CHECK(commit_and_wait(*store, std::move(first)).state == CommitState::ok);
    CHECK(commit_and_wait(*store, std::move(second)).state == CommitState::conflict);
}

TEST_CASE("a key that was made but not committed is nowhere") {
    const auto store = storage::make_memory_store();
    const Vault vault(Keyring::generate());
    {
        const auto snapshot = store->snapshot();
        Transaction dropped(*snapshot, kPartition);
        REQUIRE(vault.find_or_make(dropped, token(1)));
    }
    CHECK(find(*store, vault, token(1)) == std::nullopt);
}

TEST_CASE("a wrapped key is 77 bytes, bound to its subject, and damage to it is an error") {
    const auto store = storage::make_memory_store();
    const auto keyring = Keyring::generate();
    make(*store, Vault(keyring), token(1));
    const auto row = storage::KeyWriter(Space::subject_key, token(1)).str();
    const auto wrapped = get(*store, row).value();
    CHECK(wrapped.size() == 77);

    put(*store, storage::KeyWriter(Space::subject_key, token(2)).str(), wrapped);
    CHECK_FALSE(Vault(keyring).find(*store->snapshot(), token(2)));
    for (const std::size_t at : {0, 4, 5, 28, 29, 60, 61, 76}) {
        CAPTURE(at);
        auto flipped = wrapped;
        flipped[at] = static_cast<char>(flipped[at] ^ 2);
        put(*store, row, flipped);
        CHECK_FALSE(Vault(keyring).find(*store->snapshot(), token(1)));
    }
    put(*store, row, wrapped.substr(0, 76));
    CHECK_FALSE(Vault(keyring).find(*store->snapshot(), token(1)));
    CHECK_FALSE(Vault(Keyring::generate()).find(*store->snapshot(), token(1)));
}

TEST_CASE("a key of a destroyed epoch is gone, one of an unknown epoch is an error") {
    const auto store = storage::make_memory_store();
    auto keyring = Keyring::generate();
    make(*store, Vault(keyring), token(1));
    auto rotated = keyring;
    rotated.epochs[2] = Keyring::generate().epochs.at(1);
    make(*store, Vault(rotated), token(2));

    CHECK(find(*store, Vault(rotated), token(1)) != std::nullopt);
    rotated.epochs.erase(1);
    CHECK(find(*store, Vault(rotated), token(1)) == std::nullopt);
    CHECK(find(*store, Vault(rotated), token(2)) != std::nullopt);
    // An old copy of the keyring: nothing was erased, so nothing may look erased.
    CHECK_FALSE(Vault(keyring).find(*store->snapshot(), token(2)));
    const auto snapshot = store->snapshot();
    Transaction transaction(*snapshot, kPartition);
    CHECK_FALSE(Vault(keyring).find_or_make(transaction, token(2)));
}

TEST_CASE("a destroyed key does not come back through the cache") {
    const auto store = storage::make_memory_store();
    const Vault vault(Keyring::generate());
    const auto first = make(*store, vault, token(1)).bytes();
    CHECK(find(*store, vault, token(1)) == first);
    const auto slow = store->snapshot();  // of a reader that is still at work

    destroy(*store, token(1));
    vault.forget(token(1));
    CHECK(find(*store, vault, token(1)) == std::nullopt);
    CHECK(vault.find(*slow, token(1)).value()->bytes() == first);
    CHECK(find(*store, vault, token(1)) == std::nullopt);

    const auto second = make(*store, vault, token(1)).bytes();
    CHECK(second != first);
    CHECK(find(*store, vault, token(1)) == second);
    CHECK(vault.find(*slow, token(1)).value()->bytes() == first);
    CHECK(find(*store, vault, token(1)) == second);
}

TEST_CASE("find asks the cache before the store") {
    const auto store = storage::make_memory_store();
    const Vault vault(Keyring::generate());
    const auto made = make(*store, vault, token(1)).bytes();
    REQUIRE(find(*store, vault, token(1)) == made);
    destroy(*store, token(1));
    CHECK(find(*store, vault, token(1)) == made);  // until it is told to forget
}

TEST_CASE("the cache stays right when more subjects pass through than it holds") {
    const auto store = storage::make_memory_store();
    const Vault vault(Keyring::generate());
    constexpr std::uint64_t kSubjects = 70'000;
    std::vector<storage::SecretKey> made;
    while (made.size() < kSubjects) {
        const auto snapshot = store->snapshot();
        Transaction transaction(*snapshot, kPartition);
        for (int i = 0; i < 100; ++i)
            made.push_back(vault.find_or_make(transaction, token(made.size()))->bytes());
        REQUIRE(commit_and_wait(*store, std::move(transaction)).state == CommitState::ok);
    }
    const auto snapshot = store->snapshot();
    int wrong = 0;
    for (int round = 0; round < 2; ++round)
        for (std::uint64_t n = 0; n < kSubjects; ++n) {
            const auto key = vault.find(*snapshot, token(n));
            if (!key || !*key || (*key)->bytes() != made[n]) ++wrong;
        }
    CHECK(wrong == 0);
}

TEST_CASE("many threads find and make the keys of the same subjects") {
    const auto store = storage::make_memory_store();
    const Vault vault(Keyring::generate());
    constexpr std::uint64_t kSubjects = 20;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (std::uint64_t n = 0; n < kSubjects; ++n) {
                const auto snapshot = store->snapshot();
                if (vault.find(*snapshot, token(n)).value()) continue;
                Transaction transaction(*snapshot, kPartition);
                if (vault.find_or_make(transaction, token(n)))
                    commit_and_wait(*store, std::move(transaction));
            }
        });
    for (auto& thread : threads) thread.join();
    std::set<storage::SecretKey> keys;
    for (std::uint64_t n = 0; n < kSubjects; ++n)
        keys.insert(find(*store, vault, token(n)).value());
    CHECK(keys.size() == kSubjects);
}

}  // namespace
