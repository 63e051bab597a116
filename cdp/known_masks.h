#pragma once

#include <cstddef>
#include <unordered_set>

#include "consent/disclosure.h"

namespace cdp {

// Masks that are certainly stored; bounded.
class KnownMasks {
public:
    bool contains(const consent::MaskId& id) const { return known_.contains(id); }
    void add(const consent::MaskId& id) {
        if (known_.size() >= kMax) known_.clear();
        known_.insert(id);
    }

private:
    static constexpr std::size_t kMax = 50'000;
    std::unordered_set<consent::MaskId> known_;
};

}  // namespace cdp
