#pragma once

#include <malloc.h>

#include <cstddef>

namespace tests {

// Bytes that `calls` calls leave allocated, beyond what the first few keep for later. Zero under a
// sanitizer, which tells of leaks by itself.
inline std::size_t left_behind(std::size_t calls, const auto& call) {
    for (int i = 0; i < 10; ++i) (void)call();
    const auto held = [] {
        const auto now = ::mallinfo2();
        return now.uordblks + now.hblkhd;
    };
    const auto before = held();
    for (std::size_t i = 0; i < calls; ++i) (void)call();
    const auto after = held();
    return after > before ? after - before : 0;
}

}  // namespace tests
