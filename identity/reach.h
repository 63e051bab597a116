#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "identity/explain.h"

// Whom an identifier leads to when not everybody who said so is believed. Pure.
namespace identity {

// Per node: whether one of `start` leads to it, within their persons and by links that hold. A link
// is followed to a device or a cookie whoever said it, for nobody can name one that was never
// theirs to see; to anything else, which may be guessed or looked up, only when one of the sources
// in `believed` said it, when it is asserted, or when one end is the hash of the other.
std::vector<bool> reach(const Folded& folded, std::span<const std::uint32_t> start,
                        const std::set<std::uint32_t>& believed);

}  // namespace identity
