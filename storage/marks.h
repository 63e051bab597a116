#pragma once

#include <cstdint>
#include <string_view>

#include "storage/key.h"

// What a read or a write leaves behind for conflict checks: a hash of the key, and one of its group
// (partition, space, subject). Two that collide cost a needless retry, never a missed conflict.
namespace storage {

// Even.
std::uint64_t key_mark(std::string_view key);
// Odd, so that a key can never be taken for a group. `key` is a key or a prefix of at least
// kGroupBytes.
std::uint64_t group_mark(std::string_view key);

}  // namespace storage
