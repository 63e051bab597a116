#pragma once

#include <cstdio>
#include <cstdlib>

// A bug of ours, checked in every build: prints where and aborts. Never for input or for bytes read
// from disk; those are an Error.
#define CDP_ASSERT(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                                          \
        }                                                                                          \
    } while (false)
