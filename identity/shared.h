#pragma once

#include <cstdint>

#include "identity/identifier.h"

namespace identity {

// The distinct others that one identifier was seen with: what decides whether it is shared. A
// function of direct neighbours alone and monotone in them, hence order-free.
struct Neighbours {
    std::uint32_t accounts = 0;
    std::uint32_t contacts = 0;
    std::uint32_t cookies = 0;
    std::uint32_t all = 0;

    // Only identifiers that were seen themselves, and are not blocked, count.
    void add(LinkClass type_class);
    bool make_shared(const IdentifierType& type) const;
};

// Whether any number of neighbours makes an identifier of this type shared.
bool can_be_shared(const IdentifierType& type);

}  // namespace identity
