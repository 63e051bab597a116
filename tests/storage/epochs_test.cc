#include "storage/epochs.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "storage/data_dir.h"
#include "storage/key_places.h"
#include "storage/keyring_file.h"
#include "storage/vault.h"
#include "tests/storage/stores.h"

namespace {

using namespace tests;
using storage::CommitState;
using storage::Keyring;
using storage::kPartition;
using storage::Space;
using storage::SubjectKey;
using storage::Transaction;
using storage::Vault;

// A store whose epoch can be moved on by hand.
struct World {
    storage::SecretKey make(std::uint64_t n) {
        const auto snapshot = store->snapshot();
        Transaction transaction(*snapshot, kPartition);
        const auto key = vault.find_or_make(transaction, token(n)).value();
        REQUIRE(commit_and_wait(*store, std::move(transaction)).state == CommitState::ok);
        return key.bytes();
    }
    std::optional<storage::SecretKey> find(const Vault& with, const storage::Snapshot& snapshot,
                                           std::uint64_t n) const {
        const auto key = with.find(snapshot, token(n)).value();
        return key ? std::optional(key->bytes()) : std::nullopt;
    }
    void erase(std::uint64_t n) {
        const auto snapshot = store->snapshot();
        Transaction transaction(*snapshot, kPartition);
        transaction.erase(row(n));
        REQUIRE(commit_and_wait(*store, std::move(transaction)).state == CommitState::ok);
        vault.forget(token(n));
    }
    static std::string row(std::uint64_t n) {
        return storage::KeyWriter(Space::subject_key, token(n)).str();
    }
    void begin() {
        keyring.add_epoch();
        vault.adopt(keyring, *store);
        REQUIRE(adopt_epochs(*store, keyring, cdp::timestamp_of(1'000)));
    }
    std::uint64_t rewrap_all(std::size_t most = 3) {
        std::uint64_t rewrapped = 0;
        std::string from;
        do {
            auto step = rewrap_some(*store, vault, from, most).value();
            REQUIRE_FALSE(step.conflict);
            rewrapped += step.rewrapped;
            from = step.next;
        } while (!from.empty());
        return rewrapped;
    }
    void end() {
        keyring.end_former_epochs();
        vault.adopt(keyring, *store);
    }
    std::map<std::uint32_t, std::uint64_t> counts() const {
        return count_by_epoch(*store->snapshot()).value();
    }

    Keyring keyring = Keyring::generate();
    std::unique_ptr<storage::Store> store = storage::make_memory_store();
    Vault vault{keyring};
};

using Counts = std::map<std::uint32_t, std::uint64_t>;

TEST_CASE("every key goes to the next epoch and stays the key it was") {
    World world;
    std::vector<storage::SecretKey> keys;
    for (std::uint64_t n = 0; n < 10; ++n) keys.push_back(world.make(n));
    world.begin();
    keys.push_back(world.make(10));
    CHECK(world.counts() == Counts{{1, 10}, {2, 1}});
    CHECK(world.rewrap_all() == 10);
    CHECK(world.counts() == Counts{{2, 11}});
    CHECK(world.rewrap_all() == 0);
    CHECK(read_rewrap_counts(*world.store->snapshot())->rewrapped == 10);
    world.end();
    const Vault fresh(world.keyring);
    for (std::uint64_t n = 0; n < keys.size(); ++n)
        CHECK(world.find(fresh, *world.store->snapshot(), n) == keys[n]);
}

TEST_CASE("who took the old epoch before another began cannot commit under it after") {
    World world;
    const auto snapshot = world.store->snapshot();
    Transaction early(*snapshot, kPartition);
    REQUIRE(world.vault.find_or_make(early, token(1)));
    world.begin();
    CHECK(commit_and_wait(*world.store, std::move(early)).state == CommitState::conflict);
    world.make(1);
    CHECK(world.counts() == Counts{{2, 1}});
}

TEST_CASE("a key that an erasure takes while it is re-wrapped stays gone") {
    World world;
    for (std::uint64_t n = 0; n < 4; ++n) world.make(n);
    world.begin();
    // The erasure comes between the reading and the commit of a step.
    struct Between final : storage::Store {
        Between(storage::Store& inner, std::function<void()> first)
            : inner_(inner), first_(std::move(first)) {}
        std::unique_ptr<storage::Snapshot> snapshot() const override { return inner_.snapshot(); }
        void commit(std::vector<Transaction> transactions, storage::Committed done) override {
            if (auto first = std::exchange(first_, {})) first();
            inner_.commit(std::move(transactions), std::move(done));
        }
        bool current(const storage::ReadSet& reads) const override { return inner_.current(reads); }
        Counts counts() const override { return inner_.counts(); }
        std::size_t waiting() const override { return 0; }
        storage::Health health() const override { return inner_.health(); }
        storage::Store& inner_;
        std::function<void()> first_;
    } between(*world.store, [&] { world.erase(2); });
    CHECK(rewrap_some(between, world.vault, "", 10)->conflict);
    CHECK(get(*world.store, World::row(2)) == std::nullopt);
    CHECK(world.rewrap_all() == 3);
    CHECK(get(*world.store, World::row(2)) == std::nullopt);
    CHECK(world.counts() == Counts{{2, 3}});
    CHECK(read_rewrap_counts(*world.store->snapshot())->rewrapped == 3);
}

TEST_CASE("a reader of an older snapshot still finds the keys of those who were not erased") {
    World world;
    const auto kept = world.make(1);
    world.make(2);
    world.make(3);
    const auto old = world.store->snapshot();
    world.begin();
    world.rewrap_all();
    world.erase(2);
    world.erase(3);
    const auto anew = world.make(3);
    world.end();
    CHECK(world.find(world.vault, *old, 1) == kept);
    CHECK(world.find(world.vault, *old, 2) == std::nullopt);
    // Who came back has another key, which is not that of what the old snapshot holds.
    CHECK(world.find(world.vault, *old, 3) == std::nullopt);
    CHECK(world.find(world.vault, *world.store->snapshot(), 3) == anew);
}

TEST_CASE("a copy of a row kept before the epoch ended unwraps no more") {
    World world;
    world.make(1);
    const auto stale = get(*world.store, World::row(1)).value();
    world.begin();
    world.rewrap_all();
    world.end();
    put(*world.store, World::row(1), stale);
    CHECK(world.find(Vault(world.keyring), *world.store->snapshot(), 1) == std::nullopt);
    CHECK(rewrap_some(*world.store, world.vault, "", 10)->rewrapped == 0);
    CHECK(get(*world.store, World::row(1)) == std::nullopt);
    CHECK(read_rewrap_counts(*world.store->snapshot())->dropped == 1);
}

TEST_CASE("an epoch that the keyring lacks refuses the folder before a byte is written") {
    const Folder folder;
    const storage::DataDir dir{.path = folder / "data", .keyring_path = {}};
    const auto path = dir.path + "/keyring";
    REQUIRE(storage::create_data_dir(dir));
    const auto old = read_file(path);
    {
        const auto opened = storage::open_data_dir(dir);
        auto keyring = opened->keyring;
        keyring.add_epoch();
        REQUIRE(storage::replace_keyring(path, keyring));
        CHECK(read_epochs(*opened->store->snapshot())->current == 1);
    }
    {
        // The store learns what the keyring has before anything is wrapped.
        const auto opened = storage::open_data_dir(dir);
        const auto epochs = read_epochs(*opened->store->snapshot()).value();
        CHECK(epochs.current == 2);
        CHECK(epochs.stage == storage::Epochs::Stage::rewrapping);
    }
    const auto refused = [&](const storage::Keyring* keyring) {
        if (keyring) {
            std::filesystem::remove(path);
            REQUIRE(storage::write_keyring(path, *keyring));
        } else {
            write_file(path, old);
        }
        const auto before = contents(folder.path());
        const auto opened = storage::open_data_dir(dir);
        CHECK(contents(folder.path()) == before);
        return opened ? std::string("opened") : opened.error().reason;
    };
    const auto both = storage::read_keyring(path).value();
    CHECK(refused(nullptr) == "keyring_epoch_missing");
    auto only_new = both;
    only_new.end_former_epochs();
    CHECK(refused(&only_new) == "keyring_epoch_missing");
    std::filesystem::remove(path);
    REQUIRE(storage::write_keyring(path, both));
    CHECK(storage::open_data_dir(dir));
}

TEST_CASE("a keyring that cannot be written leaves the file and the vault as they were") {
    const Folder folder;
    World world;
    std::filesystem::create_directory(folder / "keys");
    const auto path = folder / "keys/keyring";
    REQUIRE(storage::write_keyring(path, world.keyring));
    storage::KeyringFile file(path, world.keyring, *world.store, world.vault);
    // A folder is in the way of the file that would take its place.
    std::filesystem::create_directories(path + ".new/full");
    const auto before = read_file(path);
    const auto changed = file.change([](Keyring& keyring) { keyring.add_epoch(); });
    REQUIRE_FALSE(changed);
    CHECK(changed.error().reason == "keyring_unwritten");
    CHECK(read_file(path) == before);
    CHECK(file.keyring().epochs == world.keyring.epochs);
    world.make(1);
    CHECK(world.counts() == Counts{{1, 1}});

    std::filesystem::remove_all(path + ".new");
    REQUIRE(file.change([](Keyring& keyring) { keyring.add_epoch(); }));
    CHECK(storage::read_keyring(path)->epochs == file.keyring().epochs);
    world.make(2);
    CHECK(world.counts() == Counts{{1, 1}, {2, 1}});
}

TEST_CASE("a place of keys is kept sealed and comes back as it was") {
    World world;
    const storage::KeyPlace place{.kind = storage::KeyPlace::Kind::backup,
                                  .path = "/mnt/a@shop.example",
                                  .lowest = 1,
                                  .highest = 2,
                                  .written = cdp::timestamp_of(5),
                                  .failing = "storage_failed"};
    const auto write = [&](const auto& work) {
        const auto snapshot = world.store->snapshot();
        Transaction transaction(*snapshot, kPartition);
        work(transaction);
        REQUIRE(commit_and_wait(*world.store, std::move(transaction)).state == CommitState::ok);
    };
    write([&](auto& transaction) { put_place(transaction, world.vault, place); });
    CHECK(all_places(*world.store->snapshot(), world.vault).value() == std::vector{place});
    CHECK(find_place(*world.store->snapshot(), world.vault, place.kind, place.path).value() ==
          place);
    CHECK_FALSE(find_place(*world.store->snapshot(), world.vault, storage::KeyPlace::Kind::escrow,
                           place.path)
                    .value());
    std::string all;
    REQUIRE(world.store->snapshot()->scan(storage::space_prefix(Space::meta), "",
                                          [&](auto key, auto value) {
                                              all.append(key).append(value);
                                              return true;
                                          }));
    CHECK(all.find("shop.example") == std::string::npos);
    write([&](auto& transaction) { forget_place(transaction, world.vault, place); });
    CHECK(all_places(*world.store->snapshot(), world.vault)->empty());
}

TEST_CASE("a copy outside the store is re-wrapped for the same key only") {
    World world;
    const auto key = world.make(1);
    world.make(2);
    world.make(3);
    std::map<std::string, std::string> copies;
    for (const std::uint64_t n : {1, 2, 3})
        copies[World::row(n)] = get(*world.store, World::row(n)).value();
    world.begin();
    world.rewrap_all();
    world.erase(2);
    world.erase(3);
    world.make(3);
    std::map<std::string, std::string> kept;
    for (const auto& [row_key, row] : copies)
        if (auto again = rewrap_copy(*world.store->snapshot(), world.vault, row_key, row).value())
            kept[row_key] = *again;
    world.end();
    REQUIRE(kept.size() == 1);
    // From the copy alone, once the epoch has ended.
    const auto elsewhere = storage::make_memory_store();
    put(*elsewhere, World::row(1), kept.at(World::row(1)));
    CHECK(Vault(world.keyring).find(*elsewhere->snapshot(), token(1)).value()->bytes() == key);
}

}  // namespace
