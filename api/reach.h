#pragma once

#include <memory>
#include <string>
#include <variant>

#include "api/admin_client.h"
#include "cdp/access.h"
#include "cdp/backups.h"
#include "cdp/base/clock.h"
#include "cdp/platform.h"
#include "storage/data_dir.h"
#include "storage/journal.h"
#include "storage/keyring_file.h"
#include "storage/vault.h"

namespace api {

// An open data folder and what stands on it. Each part may use those above it, and is destroyed
// before them.
struct OpenFolder {
    std::unique_ptr<storage::Store> store;
    std::unique_ptr<storage::Vault> vault;
    std::unique_ptr<storage::KeyringFile> keyring;
    std::unique_ptr<cdp::Access> access;

    // DIR/journal. What stands on the folder and shows persons is given it, once.
    cdp::Result<std::unique_ptr<storage::Journal>> journal() const;
    std::string path;
    std::string keyring_path;  // absolute
};

// `cache_bytes`: how much of what was read of its tables is kept in memory.
cdp::Result<OpenFolder> open_folder(const std::string& data,
                                    std::size_t cache_bytes = storage::kBlockCacheBytes);

// Of an open folder, which must outlive them; `disclosures` are brought into the store before it is
// copied, by who has any.
cdp::Backups backups_of(const OpenFolder& folder, cdp::Disclosures* disclosures);

// One owner: while a server runs, everybody else goes through its admin socket; else the folder is
// opened here. Waits up to 10 s for a server that is still starting.
using Reached = std::variant<AdminClient, OpenFolder>;
cdp::Result<Reached> reach(const std::string& data);

}  // namespace api
