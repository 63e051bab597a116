#pragma once

#include <string_view>

// Signatures of others by Ed25519. Pure.
namespace consent {

// 32 bytes that are a point of the main group in its one encoding. Of any other, all zero or of low
// order, signatures hold that nobody made.
bool is_ed25519_key(std::string_view bytes);

// 64 bytes that the key's owner made of the text.
bool ed25519_holds(std::string_view key, std::string_view text, std::string_view signature);

}  // namespace consent
