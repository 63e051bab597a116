#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cdp {

// The functions by which others hash identifiers.
enum class HashKind : std::uint8_t { md5, sha1, sha256 };

std::string_view to_string(HashKind kind);

// The hash of a text in lower-case hexadecimal.
std::string hash_of(HashKind kind, std::string_view text);

// The hash in lower-case hexadecimal; nullopt when `text` is no hash of that kind in hexadecimal of
// whatever case.
std::optional<std::string> read_hash(HashKind kind, std::string_view text);

}  // namespace cdp
