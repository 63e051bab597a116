#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/keyring.h"

// How keys stand in text files.
namespace storage {

std::string_view view_of(const SecretKey& key);

// 64 hexadecimal digits.
std::optional<SecretKey> parse_key(std::string_view hex);

// "check = HEX\n": a BLAKE2b-256 over `lines`, the last line of a file that must not be cut or
// edited.
std::string check_line(std::string_view lines);

// What stands before the check line; nullopt when that does not fit or does not come last.
std::optional<std::string_view> checked_lines(std::string_view text);

}  // namespace storage
