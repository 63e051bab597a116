#include "storage/marks.h"

#include <functional>

#include "cdp/base/assert.h"

namespace storage {
namespace {

// SplitMix64's finaliser: every bit of the result depends on every bit of `n`.
std::uint64_t mixed(std::uint64_t n) {
    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9U;
    n = (n ^ (n >> 27)) * 0x94d049bb133111ebU;
    return n ^ (n >> 31);
}

}  // namespace

std::uint64_t key_mark(std::string_view key) {
    return mixed(std::hash<std::string_view>{}(key) + 0x9e3779b97f4a7c15U) & ~std::uint64_t{1};
}

std::uint64_t group_mark(std::string_view key) {
    CDP_ASSERT(key.size() >= kGroupBytes);
    return mixed(std::hash<std::string_view>{}(key.substr(0, kGroupBytes)) + 0xd1b54a32d192ed03U) |
           1;
}

}  // namespace storage
