#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cdp/base/result.h"
#include "storage/backup_repo.h"
#include "storage/folder_claim.h"
#include "storage/keyring.h"
#include "storage/store.h"

namespace storage {

// A backup that can be restored, as far as can be told without the bytes of its files.
struct FoundBackup {
    BackupRepo repo;
    BackupManifest manifest;
    std::vector<std::string> erasures;  // records of the repository, in order
};

// The newest without an id. Looks at the manifest, all keys, all records of erasures and what files
// there are. Errors: those of BackupRepo, backup_unknown; backup_unreadable: an epoch ended that
// its keys were not re-wrapped for; keyring_epoch_missing: the keyring is older than the backup.
cdp::Result<FoundBackup> find_backup(const std::string& from, const std::string& id,
                                     const Vault& vault, const Keyring& keyring);

// Its keys can be unwrapped. Errors as of find_backup.
cdp::Result<void> check_readable(const BackupRepo& repo, const std::string& id,
                                 const Keyring& keyring);

// A data folder that is being made of a backup. It is none until it is finished; before that it
// goes with the object.
class Restoring {
public:
    // Writes the database and opens it; subjects have the keys that the backup's file of keys has.
    // Errors: dir_not_empty, backup_damaged, disk_full and others of the disk, writes_missing,
    // store_damaged.
    static cdp::Result<std::unique_ptr<Restoring>> begin(const FoundBackup& backup,
                                                         const std::string& target,
                                                         const Keyring& keyring,
                                                         const BytesDone& report);
    Restoring(const Restoring&) = delete;
    Restoring& operator=(const Restoring&) = delete;

    Store& store() { return *store_; }

    // Closes the store, then makes it a data folder. Durable when it returns.
    cdp::Result<void> finish(const std::string& keyring_path, const std::string& fingerprint);

private:
    Restoring(std::string target, std::uint32_t format)
        : target_(std::move(target)), format_(format) {}

    const std::string target_;
    const std::uint32_t format_;
    FolderClaim claim_;
    std::unique_ptr<Store> store_;
};

}  // namespace storage
