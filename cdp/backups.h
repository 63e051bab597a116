#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/base/result.h"
#include "storage/backup_repo.h"
#include "storage/database_files.h"
#include "storage/key_places.h"
#include "storage/keyring.h"
#include "storage/keyring_file.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

// What is under way, and how many bytes of how many are done. False stops.
using BackupReport =
    std::function<bool(std::string_view stage, std::uint64_t bytes, std::uint64_t of)>;

// Backups of a data folder while it is in use; docs/decisions/0028. Safe to use from many threads;
// everything it refers to must outlive it.
class Backups final : public storage::WrappedKeys {
public:
    struct Needs {
        storage::Store& store;
        const storage::Vault& vault;
        const storage::KeyringFile& keyring;
        std::function<Result<void>()> drain;  // brings what is listed elsewhere into the store
        std::string folder;                   // the data folder
        std::string keyring_path;             // what the repository says of where it is
        const Clock& clock;
    };
    explicit Backups(Needs needs) : needs_(std::move(needs)) {}

    struct Made {
        storage::BackupManifest manifest = {};
        std::uint64_t copied_files = 0;
        std::uint64_t copied_bytes = 0;  // the rest was there
        std::uint64_t owed = 0;          // erasures and suppressions not told; tried again
    };
    // Makes a backup in the folder `to`, which is empty or missing at first. It is whole and on
    // disk when this returns; else there is none. Errors: path_relative, backup_inside
    // (invalid_argument); backup_running (conflict); those of BackupRepo::open_or_make, of the
    // store and of the disk.
    Result<Made> create(const std::string& to, const BackupReport& report);

    // Tells each repository the erasures and suppressions that it was not. Those not to be reached
    // are logged, and tried the next time.
    void tell_erasures();

    Result<void> rewrap(const storage::KeyPlace& place, const Rewrap& rewrap) override;

    // Of what it makes backups.
    const storage::Store& store() const { return needs_.store; }
    const storage::Vault& vault() const { return needs_.vault; }

private:
    Result<storage::BackupRepo> repository(const std::string& path) const;
    Result<void> tell(const std::string& path);
    Result<void> fill(const storage::BackupRepo& repo, Made& made, const BackupReport& report);
    Result<void> copy_files(const storage::BackupRepo& repo, const storage::StoreCopy& copy,
                            Made& made, const BackupReport& report) const;

    Needs needs_;
    std::mutex copying_;  // held while files or keys of a repository are written
    std::mutex telling_;  // held while erasures are; after copying_
};

// One line of JSON, without its end.
std::string render(const Backups::Made& made);
// The same of one that is there; `unreadable`: the reason why, or empty.
std::string render(const storage::BackupManifest& manifest, std::string_view unreadable);

}  // namespace cdp
