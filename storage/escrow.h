#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cdp/base/result.h"
#include "storage/keyring.h"

// A keyring sealed for somebody who keeps it where cdp is not. Only the holder of the private half
// can open it; who made it cannot.
namespace storage {

using EscrowRecipient = std::array<std::uint8_t, 32>;  // the public half, X25519

struct EscrowPair {
    EscrowRecipient recipient{};
    SecretKey private_half{};

    static EscrowPair generate();
};

// 64 hexadecimal digits.
std::optional<EscrowRecipient> parse_recipient(std::string_view hex);
std::string to_hex(const EscrowRecipient& recipient);

// The private half as a file, text with a check line, mode 0600. Refuses to overwrite; durable.
cdp::Result<void> write_private_half(const std::string& path, const SecretKey& private_half);
// Errors: private_key_missing, private_key_exposed, private_key_damaged.
cdp::Result<SecretKey> read_private_half(const std::string& path);

// The text of an escrow: `cdp-escrow 1`, then `recipient`, `sealed` (crypto_box_seal over the
// keyring's text) and `check` (a BLAKE2b-256 over the lines before) as `name = hex`. Error
// recipient_weak (invalid_argument) for a key that seals for everybody.
cdp::Result<std::string> seal_escrow(const Keyring& keyring, const EscrowRecipient& recipient);

// Errors: escrow_damaged (corruption): cut, edited, or none; escrow_foreign: sealed for another
// key.
cdp::Result<Keyring> open_escrow(std::string_view text, const SecretKey& private_half);
// The same of a file; escrow_missing.
cdp::Result<Keyring> read_escrow(const std::string& path, const SecretKey& private_half);

}  // namespace storage
