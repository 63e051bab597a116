#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "cdp/backups.h"
#include "cdp/disclosures.h"
#include "cdp/erasures.h"
#include "cdp/key_epochs.h"
#include "cdp/privacy.h"
#include "cdp/restore.h"
#include "storage/data_dir.h"
#include "storage/rocks_store.h"
#include "tests/cdp/stewardship_world.h"
#include "tests/storage/folder.h"

// A platform on a disk, a repository of its backups, and what is made of them.
namespace tests {

struct Disk {
    Disk() {
        std::filesystem::create_directory(data());
        REQUIRE(storage::write_keyring(keyring(), fixed_keyring()));
    }

    std::string data() const { return folder / "data"; }
    std::string keyring() const { return folder / "keyring"; }
    std::string repo() const { return folder / "repo"; }
    std::string target() const { return folder / "restored"; }

    std::unique_ptr<storage::Store> make_store() const {
        const storage::RocksOptions options{
            .path = data() + "/db", .mark_path = data() + "/mark", .memtable_bytes = 1u << 20};
        REQUIRE(storage::create_rocks_store(options));
        return *storage::open_rocks_store(options);
    }

    Folder folder;
};

// The vault of a world, made again of a keyring file with the same keys, as who opens a folder
// makes it: before anything is asked of the platform that uses it.
inline storage::Vault& vault_of(PlatformWorld& world, const std::string& keyring) {
    auto& vault = const_cast<storage::Vault&>(world.vault());
    std::destroy_at(&vault);
    return *std::construct_at(&vault, storage::read_keyring(keyring).value());
}

struct BackedUp : Disk, PlatformWorld {
    BackedUp()
        : PlatformWorld(open_config(), make_store()),
          file(keyring(), storage::read_keyring(keyring()).value(), store(),
               vault_of(*this, keyring())),
          backups({.store = store(),
                   .vault = vault(),
                   .keyring = file,
                   .drain = [this] { return platform().disclosures().drain(); },
                   .folder = data(),
                   .keyring_path = keyring(),
                   .clock = clock()}),
          epochs({store(), vault(), file, clock()}) {
        epochs.reach(backups);
    }

    static bool go_on(std::string_view, std::uint64_t, std::uint64_t) { return true; }

    cdp::Backups::Made create(const cdp::BackupReport& report = go_on) {
        clock().advance(std::chrono::seconds{1});
        auto made = backups.create(repo(), report);
        if (!made) FAIL(made.error().reason + " " + made.error().detail);
        return *std::move(made);
    }
    std::string create_fails(const std::string& to) {
        const auto made = backups.create(to, go_on);
        return made ? "made" : made.error().reason;
    }

    // As the server does it.
    void erase(const std::string& type, const std::string& value) {
        const auto erased = platform().privacy().erasures.erase(officer(), "officer:kim",
                                                                {.type = type, .value = value});
        if (!erased) FAIL(erased.error().reason);
        backups.tell_erasures();
    }
    void end_epoch() {
        const auto changed = epochs.change([](std::string_view, std::uint64_t) {});
        if (!changed) FAIL(changed.error().reason + " " + changed.error().detail);
    }

    cdp::RestoreRequest request(const std::string& id = "") const {
        return {.from = repo(),
                .id = id,
                .target = target(),
                .keyring_path = keyring(),
                .config = open_config()};
    }
    cdp::Restored restore(const cdp::RestoreRequest& asked) {
        auto restored = cdp::restore(asked, clock(), go_on);
        if (!restored) FAIL(restored.error().reason + " " + restored.error().detail);
        return *std::move(restored);
    }
    cdp::Restored restore() { return restore(request()); }
    std::string restore_fails(const cdp::RestoreRequest& asked) {
        const auto restored = cdp::restore(asked, clock(), go_on);
        if (restored) return "restored";
        // Whatever it was, nothing is left of it.
        if (asked.target == target()) CHECK_FALSE(std::filesystem::exists(target()));
        return restored.error().reason;
    }
    std::string restore_fails() { return restore_fails(request()); }

    storage::KeyringFile file;
    cdp::Backups backups;
    cdp::KeyEpochs epochs;
};

inline std::unique_ptr<storage::Store> open_folder(const std::string& path) {
    auto opened = storage::open_data_dir({.path = path, .keyring_path = {}});
    if (!opened) FAIL(opened.error().reason + " " + opened.error().detail);
    return std::move(opened->store);
}

struct RestoredWorld : PlatformWorld {
    RestoredWorld(const std::string& path, const std::string& keyring)
        : PlatformWorld(open_config(), open_folder(path)) {
        vault_of(*this, keyring);
    }
};

}  // namespace tests
