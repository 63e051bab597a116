#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace api {

// Deadlines are counted in ticks, so that a connection arms no timer: a sweep once a tick finds
// those that are late. Up to one tick is added to each.
struct Limits {
    std::chrono::milliseconds tick{1000};
    std::uint32_t head = 10;         // from the first byte of a head to its end
    std::uint32_t body_idle = 30;    // without a byte of the body
    std::uint32_t body_whole = 120;  // from its first byte to its last
    std::uint32_t keep_alive = 75;   // between requests
    std::uint32_t crowded = 2;       // the same while an eighth of the places is left, or less
    std::uint32_t write = 30;        // without a byte of the answer acknowledged
    std::uint32_t slow = 10;         // before a body or an answer must move, so many bytes a tick:
    std::uint32_t bytes_min = 1000;
    std::uint32_t answer = 30;  // for the disk, and before that for its turn; then 503
    std::uint32_t linger = 2;   // for a client that still sends after it was refused
    std::uint32_t drain = 10;   // at shutdown, for what is running

    std::size_t connections_max = 10'000;
    // Request bytes held by one thread beyond each connection's first 64 KiB.
    std::size_t buffered_max = 256u << 20;
    // Of which those whose sender has shown no key may hold so many.
    std::size_t keyless_max = 32u << 20;
    // Bytes of answers held by one thread that wait for their readers, alike.
    std::size_t unread_max = 256u << 20;
    // And of those that wait until what they tell is written down.
    std::size_t untold_max = 64u << 20;
};

}  // namespace api
