#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace tests {

// One run per seed, 1..n. CDP_SEED=17 replays that one; CDP_SEEDS=100000 runs that many instead.
// The test captures the seed, so a failure prints it.
inline Catch::Generators::GeneratorWrapper<std::uint64_t> seeds(std::uint64_t n) {
    std::vector<std::uint64_t> list;
    if (const char* one = std::getenv("CDP_SEED")) {
        list.push_back(std::stoull(one));
    } else {
        if (const char* many = std::getenv("CDP_SEEDS")) n = std::stoull(many);
        for (std::uint64_t seed = 1; seed <= n; ++seed) list.push_back(seed);
    }
    return Catch::Generators::from_range(list);
}

}  // namespace tests
