#pragma once

#include <cstdint>

#include "cdp/base/random.h"

namespace simulator {

// Chances without floating-point functions, so that a seed gives the same stream everywhere.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : random_(seed) {}

    bool chance(double p) {
        return random_.below(1'000'000) < static_cast<std::uint64_t>(p * 1'000'000 + .5);
    }
    // Both ends included.
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low +
               static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(high - low) + 1));
    }
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_.below(n)); }
    template <typename Range>
    const auto& pick(const Range& range) {
        return range[below(range.size())];
    }

private:
    cdp::Random random_;
};

}  // namespace simulator
