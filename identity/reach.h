#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "identity/explain.h"

// Whom identifiers lead to when not everybody who said so is believed. Pure.
namespace identity {

// Per node, whether those of `start` lead to it: within their persons, and to what is shared beside
// them.
//
// A link is believed when it is asserted, when one end is the hash of the other, or when one of the
// sources in `believed` said it; a contact that nobody verified only of records (accounts, CRM) of
// one person, since beside a visitor, or beside several, it may be whatever somebody typed. By one
// that is not believed a cookie or an app's own id is met, which nobody can name who never saw it,
// but nothing beyond it: who was made to use a cookie of somebody else's choice is not led to by
// it. What is shared is met if it is such a one, or a contact that was verified, and leads no
// further.
std::vector<bool> reach(const Folded& folded, std::span<const std::uint32_t> start,
                        const std::set<std::uint32_t>& believed);

}  // namespace identity
