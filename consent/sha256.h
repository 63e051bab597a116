#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "cdp/base/ids.h"

namespace consent {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);

inline std::string_view view(const Sha256& hash) {
    return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

// The first 16 bytes of the hash.
cdp::RecordId short_id(std::string_view bytes);

// 32 bytes nobody can guess.
Sha256 random_salt();

}  // namespace consent
