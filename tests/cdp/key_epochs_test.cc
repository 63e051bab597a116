#include "cdp/key_epochs.h"

#include <thread>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cdp/ledger_rows.h"
#include "consent/ledger.h"
#include "consent/ledger_check.h"
#include "storage/escrow.h"
#include "tests/cdp/failing_store.h"
#include "tests/cdp/world.h"
#include "tests/storage/stores.h"

// An epoch ends while everybody else works, wherever it is interrupted, and takes nobody along.

namespace {

using namespace tests;
using nlohmann::json;
using storage::CommitState;
using storage::KeyPlace;
using storage::Vault;

// A store, a keyring on disk and the process that has both, which can be replaced.
struct World {
    World() {
        REQUIRE(storage::write_keyring(path(), storage::Keyring::generate()));
        restart();
    }

    std::string path() const { return folder / "keyring"; }
    // What a process that was killed leaves to the next; as open_data_dir does it.
    void restart() {
        epochs.reset();
        file.reset();
        auto keyring = storage::read_keyring(path()).value();
        REQUIRE(check_epochs(keyring, *store.snapshot()));
        store.commits_left() = FailingStore::kNever;
        REQUIRE(adopt_epochs(store, keyring, {}));
        vault = std::make_unique<Vault>(keyring);
        file = std::make_unique<storage::KeyringFile>(path(), keyring, store, *vault);
        epochs =
            std::make_unique<cdp::KeyEpochs>(cdp::KeyEpochs::Needs{store, *vault, *file, clock});
    }

    storage::SecretKey make(std::uint64_t n) {
        for (;;) {
            const auto snapshot = store.snapshot();
            storage::Transaction transaction(*snapshot, storage::kPartition);
            const auto key = vault->find_or_make(transaction, token(n)).value();
            if (commit_and_wait(store, std::move(transaction)).state == CommitState::ok)
                return key.bytes();
        }
    }
    void make_many(std::uint64_t count) {
        for (std::uint64_t n = 0; n < count; ++n) keys.push_back(make(n));
    }
    // Every key is what it was, for who has nothing but the store and the file.
    bool all_there() const {
        const Vault fresh(storage::read_keyring(path()).value());
        const auto snapshot = store.snapshot();
        for (std::uint64_t n = 0; n < keys.size(); ++n) {
            const auto key = fresh.find(*snapshot, token(n));
            if (!key || !*key || (*key)->bytes() != keys[n]) return false;
        }
        return true;
    }
    cdp::Result<cdp::KeyEpochs::Changed> change() const {
        return epochs->change([](std::string_view, std::uint64_t) {});
    }
    json state() const { return json::parse(epochs->state().value()); }
    std::size_t epochs_on_disk() const { return storage::read_keyring(path())->epochs.size(); }

    Folder folder;
    ManualClock clock;
    FailingStore store;
    std::unique_ptr<Vault> vault;
    std::unique_ptr<storage::KeyringFile> file;
    std::unique_ptr<cdp::KeyEpochs> epochs;
    std::vector<storage::SecretKey> keys;
};

}  // namespace

TEST_CASE("an epoch ends: keys are re-wrapped, its key is gone, the ledger says so") {
    World world;
    world.make_many(5'000);
    const auto old = storage::read_keyring(world.path())->epochs.at(1);
    const auto changed = world.change();
    REQUIRE(changed);
    CHECK(changed->ended.from == 1);
    CHECK(changed->ended.to == 2);
    CHECK(changed->ended.rewrapped == 5'000);
    CHECK(changed->ended.gone == 0);
    CHECK(changed->failing.empty());
    CHECK(world.all_there());
    const auto keyring = storage::read_keyring(world.path()).value();
    CHECK(keyring.epochs.size() == 1);
    CHECK(keyring.epochs.at(2) != old);

    const auto snapshot = world.store.snapshot();
    const auto entry =
        consent::decode_entry(snapshot->get(consent::entry_key(changed->entry)).value().value());
    REQUIRE(entry);
    CHECK(entry->type == consent::EntryType::key_rotation);
    CHECK(entry->commitment == changed->ended.commitment());
    CHECK(entry->fields[0].bytes == "epoch 2");
    CHECK(entry->fields[1].bytes == "epoch 1");
    CHECK(entry->fields[2] == consent::public_number(consent::PublicTag::count, 5'000));
    const auto ended = cdp::ended_epochs(*snapshot).value();
    CHECK(ended == std::vector{changed->ended});

    const auto state = world.state();
    REQUIRE(state["epochs"].size() == 1);
    CHECK(state["epochs"][0]["epoch"] == 2);
    CHECK(state["epochs"][0]["keys"] == 5'000);
    CHECK(state["epochs"][0]["state"] == "current");
    CHECK(state["changing"] == false);
    CHECK(state["ended"][0]["to"] == 2);
}

TEST_CASE("the ledger's check finds an ended epoch that was tampered with") {
    World world;
    world.make_many(1);
    REQUIRE(world.change());
    consent::Ledger ledger(world.store, *world.vault);
    while (ledger.publish({}).value()) continue;
    const auto check = [&] {
        return consent::check_ledger(
                   *world.store.snapshot(), *world.vault,
                   [](std::string_view, std::uint64_t) { return true; },
                   cdp::committed_rows(*world.vault))
            .value();
    };
    CHECK_FALSE(check().fault);
    CHECK(check().others == 1);
    CHECK(world.state()["ended"][0]["entry"] == 0);
    const auto row =
        storage::KeyWriter(storage::Space::meta, cdp::Id<struct Any>::from("epochs ended...."))
            .number32(2)
            .str();
    auto value = get(world.store, row).value();
    value.back() = static_cast<char>(value.back() ^ 1);
    put(world.store, row, value);
    REQUIRE(check().fault);
    CHECK(check().fault->what == "epoch");
}

TEST_CASE("a change interrupted at any commit goes on, is told once and loses no key") {
    std::uint64_t commits = 0;
    for (bool more = true; more; ++commits) {
        CAPTURE(commits);
        World world;
        world.make_many(4'500);
        world.store.commits_left() = commits;
        const auto cut = world.change();
        more = !cut;
        REQUIRE(world.all_there());
        world.restart();
        REQUIRE(world.all_there());
        world.keys.push_back(world.make(4'500));
        if (more) {
            world.epochs->resume();
            while (world.state()["ended"].empty() || world.state()["changing"] == true)
                std::this_thread::yield();
        }
        const auto ended = cdp::ended_epochs(*world.store.snapshot()).value();
        REQUIRE(ended.size() == 1);
        CHECK(ended[0].rewrapped >= 4'500);
        CHECK(ended[0].rewrapped <= 4'501);
        CHECK(world.state()["epochs"].size() == 1);
        CHECK(world.epochs_on_disk() == 1);
        CHECK(world.all_there());
        world.restart();
        CHECK(world.all_there());
    }
    CHECK(commits > 5);
}

TEST_CASE("a keyring that cannot be written keeps both epochs serving, and the same verb ends it") {
    World world;
    world.make_many(10);
    const auto block = world.path() + ".new/full";
    SECTION("before") {
        std::filesystem::create_directories(block);
        CHECK(world.change().error().reason == "keyring_unwritten");
        CHECK(world.state()["epochs"].size() == 1);
    }
    SECTION("at the end") {
        // Once the new epoch is in the file, nothing can take its place.
        REQUIRE_FALSE(world.epochs->change([&](std::string_view stage, std::uint64_t) {
            if (stage == "proven") std::filesystem::create_directories(block);
        }));
        CHECK(world.epochs_on_disk() == 2);
    }
    world.keys.push_back(world.make(10));
    CHECK(world.all_there());
    std::filesystem::remove_all(world.path() + ".new");
    const auto changed = world.change();
    REQUIRE(changed);
    CHECK(changed->ended.to == 2);
    CHECK(world.epochs_on_disk() == 1);
    CHECK(world.all_there());
}

TEST_CASE("while one epoch is changed another is refused") {
    World world;
    world.make_many(10);
    std::string refused;
    REQUIRE(world.epochs->change([&](std::string_view, std::uint64_t) {
        refused = world.change().error().reason;
        CHECK(world.state()["changing"] == true);
    }));
    CHECK(refused == "epoch_running");
    CHECK(world.change()->ended.to == 3);
}

TEST_CASE("keys made, found and erased while an epoch changes end as they should") {
    World world;
    world.make_many(3'000);
    std::atomic<bool> done = false;
    std::vector<storage::SecretKey> made;
    std::uint64_t wrong = 0;
    std::thread ingest([&] {
        for (std::uint64_t n = 3'000; !done; ++n) made.push_back(world.make(n));
    });
    std::thread reader([&] {
        while (!done) {
            const auto snapshot = world.store.snapshot();
            for (std::uint64_t n = 0; n < 1'000; ++n) {
                const auto key = world.vault->find(*snapshot, token(n));
                if (!key || !*key || (*key)->bytes() != world.keys[n]) ++wrong;
            }
        }
    });
    for (std::uint64_t n = 2'000; n < 2'100; ++n) {
        const auto row = storage::KeyWriter(storage::Space::subject_key, token(n)).str();
        const auto snapshot = world.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        transaction.erase(row);
        commit_and_wait(world.store, std::move(transaction));
        world.vault->forget(token(n));
        if (n % 25 == 0) CHECK(world.change());
    }
    done = true;
    ingest.join();
    reader.join();
    CHECK(wrong == 0);
    world.restart();
    const auto snapshot = world.store.snapshot();
    for (std::uint64_t n = 0; n < 3'000 + made.size(); ++n) {
        const auto key = world.vault->find(*snapshot, token(n)).value();
        const bool erased = n >= 2'000 && n < 2'100;
        if (key.has_value() == erased) ++wrong;
        if (key && key->bytes() != (n < 3'000 ? world.keys[n] : made[n - 3'000])) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK(world.state()["epochs"].size() == 1);
}

TEST_CASE("an escrow follows the keyring, and holds no epoch past its end") {
    World world;
    world.make_many(3);
    const auto pair = storage::EscrowPair::generate();
    const auto stick = world.folder / "stick";
    std::filesystem::create_directory(stick);
    const auto path = stick + "/escrow";
    const auto held = [&] {
        const auto keyring = storage::read_escrow(path, pair.private_half).value();
        std::vector<std::uint32_t> epochs;
        for (const auto& [epoch, key] : keyring.epochs) epochs.push_back(epoch);
        return epochs;
    };
    const auto& escrows = world.epochs->escrows();
    CHECK(escrows.add("escrow", pair.recipient).error().reason == "path_relative");
    CHECK(escrows.add(path, {}).error().reason == "recipient_weak");
    CHECK(escrows.add(world.path(), pair.recipient).error().reason == "file_exists");
    CHECK(escrows.add(world.folder / "no/where", pair.recipient).error().reason ==
          "storage_failed");
    CHECK(world.state()["escrows"].empty());
    REQUIRE(escrows.add(path, pair.recipient));
    CHECK(held() == std::vector<std::uint32_t>{1});
    REQUIRE(world.change());
    CHECK(held() == std::vector<std::uint32_t>{2});
    CHECK(world.state()["escrows"][0]["epochs"] == json({2}));
    CHECK(world.state()["escrows"][0]["failing"].is_null());
    REQUIRE(escrows.add(path, pair.recipient));

    // One that is out of reach is named until it is not.
    std::filesystem::rename(stick, stick + " in a drawer");
    const auto changed = world.change();
    REQUIRE(changed);
    REQUIRE(changed->failing.size() == 1);
    CHECK(changed->failing[0].path == path);
    CHECK(world.state()["escrows"][0]["failing"] == "storage_failed");
    CHECK(world.state()["escrows"][0]["epochs"] == json({2}));
    std::filesystem::rename(stick + " in a drawer", stick);
    CHECK(held() == std::vector<std::uint32_t>{2});
    REQUIRE(escrows.refresh());
    CHECK(held() == std::vector<std::uint32_t>{3});
    CHECK(world.state()["escrows"][0]["failing"].is_null());
}

TEST_CASE("an escrow restores the keyring, also with the ledger's new key") {
    World world;
    world.make_many(3);
    const auto pair = storage::EscrowPair::generate();
    const auto path = world.folder / "escrow";
    REQUIRE(world.epochs->escrows().add(path, pair.recipient));
    consent::Ledger ledger(world.store, *world.vault);
    const auto rotated = world.epochs->rotate_ledger_key([&](const cdp::KeyEpochs::Renew& renew) {
        return ledger.rotate(world.clock.now(), renew);
    });
    REQUIRE(rotated);
    CHECK(json::parse(*rotated)["key"] == ledger.public_keys()->back().str());
    REQUIRE(world.change());
    std::filesystem::remove(world.path());
    REQUIRE(storage::write_keyring(world.path(),
                                   storage::read_escrow(path, pair.private_half).value()));
    world.restart();
    CHECK(world.all_there());
    CHECK(world.vault->ledger_key()->seed == storage::read_keyring(world.path())->ledger->seed);
}

TEST_CASE("keys that lie outside the store are re-wrapped too, or named") {
    World world;
    world.make_many(3);
    struct Backup final : storage::WrappedKeys {
        cdp::Result<void> rewrap(const KeyPlace&, const Rewrap& rewrap) override {
            for (auto row = rows.begin(); row != rows.end();) {
                auto again = CDP_TRY(rewrap(row->first, row->second));
                if (again) row->second = *again;
                row = again ? std::next(row) : rows.erase(row);
            }
            return cdp::Result<void>::ok();
        }
        std::map<std::string, std::string> rows;
    } backup;
    for (std::uint64_t n = 0; n < 3; ++n) {
        const auto row = storage::KeyWriter(storage::Space::subject_key, token(n)).str();
        backup.rows[row] = get(world.store, row).value();
    }
    const KeyPlace place{.kind = KeyPlace::Kind::backup, .path = "/b", .lowest = 1, .highest = 1};
    REQUIRE(cdp::keep_place(world.store, *world.vault, place));
    CHECK(world.change()->failing.at(0).failing == "unreachable");
    CHECK(world.state()["backups"][0]["epochs"] == json({1}));
    for (auto& [row, value] : backup.rows) value = get(world.store, row).value();
    world.epochs->reach(backup);
    CHECK(world.change()->failing.empty());
    CHECK(world.state()["backups"][0]["epochs"] == json({3}));
    const auto elsewhere = storage::make_memory_store();
    for (const auto& [row, value] : backup.rows) put(*elsewhere, row, value);
    const Vault fresh(storage::read_keyring(world.path()).value());
    for (std::uint64_t n = 0; n < 3; ++n)
        CHECK(fresh.find(*elsewhere->snapshot(), token(n)).value()->bytes() == world.keys[n]);
}

TEST_CASE("an old copy of the keyring brings no ended epoch back for long") {
    World world;
    world.make_many(2);
    auto old = storage::read_keyring(world.path()).value();
    REQUIRE(world.change());
    auto both = storage::read_keyring(world.path()).value();
    both.epochs[1] = old.epochs.at(1);
    REQUIRE(storage::replace_keyring(world.path(), both));
    world.restart();
    world.epochs->resume();
    while (world.epochs_on_disk() > 1) std::this_thread::yield();
    CHECK(cdp::ended_epochs(*world.store.snapshot())->size() == 1);
    world.epochs.reset();  // it may still be overwriting the file that was replaced
    REQUIRE(storage::replace_keyring(world.path(), old));
    const auto refused = check_epochs(old, *world.store.snapshot());
    CHECK(refused.error().reason == "keyring_epoch_missing");
}

TEST_CASE("a key that was destroyed ends with the epoch after whose change nobody wrapped it") {
    World world;
    world.make_many(3);
    const auto destroyed = world.clock.now();
    const auto last = [&](cdp::Timestamp at) {
        return cdp::last_epoch_before(*world.store.snapshot(), at).value();
    };
    CHECK(last(destroyed).number == 1);
    CHECK_FALSE(last(destroyed).ended);
    world.clock.advance(std::chrono::hours{1});
    REQUIRE(world.change());
    CHECK(last(destroyed).number == 1);
    CHECK(last(destroyed).ended);
    // While the change ran a key may have been wrapped anew before it went.
    const auto began = cdp::ended_epochs(*world.store.snapshot())->at(0).began;
    CHECK(last(began).number == 2);
    CHECK_FALSE(last(began).ended);
    world.clock.advance(std::chrono::hours{1});
    REQUIRE(world.change());
    CHECK(last(destroyed).number == 1);
    CHECK(last(began).number == 2);
    CHECK(last(began).ended);
}
