#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cdp/base/random.h"

// Random calls, and the same calls in another order: for promises that hold in any.
namespace tests {

void shuffle(auto& items, cdp::Random& random) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

void repeat_and_shuffle(auto& items, cdp::Random& random) {
    for (std::size_t n = random.below(items.size()); n > 0; --n)
        items.push_back(items[random.below(items.size())]);
    shuffle(items, random);
}

// One of `n` names: u0, u1, …
inline std::string pick(cdp::Random& random, const char* prefix, std::uint64_t n) {
    return prefix + std::to_string(random.below(n));
}

// `n` of what `draw(random, serial)` makes.
auto drawn(cdp::Random& random, std::size_t n, const auto& draw) {
    std::vector<decltype(draw(random, n))> out;
    for (std::size_t serial = 0; serial < n; ++serial) out.push_back(draw(random, serial));
    return out;
}

// Whether `run` makes the same of `n` random calls as of the same calls mixed up, some repeated.
bool same_in_any_order(std::uint64_t seed, std::size_t n, const auto& draw, const auto& run) {
    cdp::Random random(seed);
    auto calls = drawn(random, n, draw);
    const auto in_order = run(calls);
    repeat_and_shuffle(calls, random);
    return run(calls) == in_order;
}

}  // namespace tests
