#pragma once

#include <memory>
#include <string>

#include "cdp/base/result.h"
#include "storage/keyring.h"
#include "storage/rocks_store.h"
#include "storage/store.h"

// A data folder: FORMAT, db/, keyring (unless elsewhere), mark, admin.sock.
namespace storage {

// The newest layout this program reads and writes; what DIR/FORMAT holds. 2: evidence by source and
// day, nodes with the classes that join them, members with since when.
inline constexpr int kFormat = 2;

struct DataDir {
    std::string path;
    std::string keyring_path;  // empty: as recorded in FORMAT

    // Of a new folder: what its ledger is called; empty: after the tenant. See is_ledger_origin.
    std::string ledger_origin = {};

    // Opens a folder of an older format too, for who then brings it up to date.
    bool older = false;

    std::size_t block_cache_bytes = kBlockCacheBytes;  // of the open store
};

// Makes a data folder: refuses one that exists and is not empty (error dir_not_empty). Creates the
// keyring, FORMAT and an empty database; everything is durable when it returns. On failure what was
// made is removed again.
cdp::Result<void> create_data_dir(const DataDir& dir);

struct OpenedDataDir {
    Keyring keyring;
    std::string keyring_path;
    std::unique_ptr<Store> store;
    int format = kFormat;
};

// Opens what create_data_dir made. Never creates anything that is missing. Errors, each before a
// byte is written: not_a_data_dir, format_newer, format_older, keyring_* (see keyring.h;
// keyring_foreign when the fingerprint is not FORMAT's, keyring_epoch_missing when rows need an
// epoch that it lacks), dir_locked (another process has it),
// store_damaged (names the file), writes_missing (the database ends before the high-water mark:
// acknowledged writes are gone).
//
// A keyring from before there was a ledger is given a key for it, and an epoch that the store does
// not know begins; see epochs.h.
cdp::Result<OpenedDataDir> open_data_dir(const DataDir& dir);

// The last step of making a folder: what has a FORMAT is complete. `keyring` is a path, relative to
// the folder unless it starts with `/`. Durable when it returns.
cdp::Result<void> write_format(const std::string& path, int format, const std::string& keyring,
                               const std::string& fingerprint);

// Where FORMAT says that the keyring is. Errors: not_a_data_dir, format_newer, store_damaged.
cdp::Result<std::string> recorded_keyring(const std::string& path);

// Makes FORMAT say kFormat, durable when it returns: the last step of bringing a folder up to date,
// by who has it open.
cdp::Result<void> record_format(const DataDir& dir);

}  // namespace storage
