#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "cdp/base/result.h"

namespace storage {

using SecretKey = std::array<std::uint8_t, 32>;

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
    std::string fingerprint;                    // hex; public, names this keyring in FORMAT

    // Fresh random keys and epoch 1.
    static Keyring generate();
};

// Refuses to overwrite. Durable (file and folder fsynced) when it returns.
cdp::Result<void> write_keyring(const std::string& path, const Keyring& keyring);

// Errors: keyring_missing, keyring_exposed (mode or owner), keyring_damaged.
cdp::Result<Keyring> read_keyring(const std::string& path);

}  // namespace storage
