#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "cdp/base/result.h"

namespace storage {

using SecretKey = std::array<std::uint8_t, 32>;

// What the consent ledger is signed with.
struct LedgerKey {
    std::string origin;  // the log's name, and the key's: kept for good, also when the key changes
    SecretKey seed{};    // of an Ed25519 key

    friend bool operator==(const LedgerKey&, const LedgerKey&) = default;
};

// Eight bytes that stand for a data folder in public. They say nothing of who it is.
using Tenant = std::array<std::uint8_t, 8>;

// The secrets of one data folder, in one file outside the database and outside backups. Losing it
// loses every sealed value.
//
// The file is text: a magic line `cdp-keyring 1`, then `name = hex` lines, then a line
// `check = hex` with a BLAKE2b-256 over the lines before it, so that a truncated or edited file is
// refused. Mode 0600, owned by the user of the process; anything wider is refused.
struct Keyring {
    SecretKey token_key{};                      // identifiers -> tokens
    SecretKey rank_key{};                       // identifiers -> ranks; never rotated
    SecretKey secret_key{};                     // access keys -> their hashes
    std::map<std::uint32_t, SecretKey> epochs;  // wrap subject keys; the highest is current
    std::optional<LedgerKey> ledger = {};       // none: made before there was a ledger
    std::string fingerprint;                    // hex; public, names this keyring in FORMAT

    // Wipes its keys.
    ~Keyring();

    // Fresh random keys and epoch 1. Without an origin the ledger is named after the tenant.
    static Keyring generate(const std::string& ledger_origin = {});

    // Derived from the rank key, so the same for good.
    Tenant tenant() const;
    // Gives the ledger a fresh key; its origin stays.
    void renew_ledger_key();
    // A fresh key for the epoch after the current one.
    void add_epoch();
    // Only the current epoch stays.
    void end_former_epochs();
    // Wipes the epochs and the ledger's key, for who keeps them elsewhere.
    void wipe_changing();
};

// A name that a signed note takes: no white space, no plus sign, and for the file's sake no `=`.
bool is_ledger_origin(std::string_view text);

// The text of the file, and back: nullopt unless it is exactly what render_keyring made. It holds
// every secret: wipe it.
std::string render_keyring(const Keyring& keyring);
std::optional<Keyring> parse_keyring(std::string_view text);

// Refuses to overwrite. Durable (file and folder fsynced) when it returns.
cdp::Result<void> write_keyring(const std::string& path, const Keyring& keyring);

// Takes the place of one, whole or not at all; durable when it returns. What it replaces is
// overwritten in place before it is unlinked, so that a key which left does not lie in blocks that
// are free. That holds where a file is written in place: on ext4 and XFS on a disk. A copy-on-write
// file system, an SSD, a snapshot or a journal of data may keep the old bytes all the same. After
// an error either of the two may be there, whole.
cdp::Result<void> replace_keyring(const std::string& path, const Keyring& keyring);

// Errors: keyring_missing, keyring_exposed (mode or owner), keyring_damaged.
cdp::Result<Keyring> read_keyring(const std::string& path);

}  // namespace storage
