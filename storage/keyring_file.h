#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "cdp/base/result.h"
#include "storage/keyring.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace storage {

// The keyring of an open folder: the file and the vault that was made of it, changed together.
// Safe to use from many threads; the store and the vault must outlive it.
class KeyringFile {
public:
    KeyringFile(std::string path, Keyring keyring, const Store& store, Vault& vault)
        : path_(std::move(path)), keyring_(std::move(keyring)), store_(store), vault_(vault) {}
    KeyringFile(const KeyringFile&) = delete;
    KeyringFile& operator=(const KeyringFile&) = delete;

    // As it is on disk.
    Keyring keyring() const;

    // Writes what `edit` makes of it, and then the vault has it. After an error the vault has what
    // it had, and goes on with it; the file may hold either.
    cdp::Result<void> change(const std::function<void(Keyring&)>& edit);

private:
    const std::string path_;
    mutable std::mutex mutex_;  // held while the file is written: what follows is what it holds
    Keyring keyring_;
    const Store& store_;
    Vault& vault_;
};

}  // namespace storage
