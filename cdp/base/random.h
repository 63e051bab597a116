#pragma once

#include <cstdint>

namespace cdp {

// Seeded and the same on every machine and library: SplitMix64 (Steele, Lea, Flood 2014, "Fast
// Splittable Pseudorandom Number Generators"). For tests, jitter and generators; never for keys.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }
    // 0 <= result < n; n > 0.
    std::uint64_t below(std::uint64_t n) { return next() % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }

private:
    std::uint64_t state_;
};

}  // namespace cdp
