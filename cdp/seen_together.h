#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cdp/event_rows.h"
#include "storage/snapshot.h"

namespace cdp {

// Two identifiers and the days on which they were seen together.
struct Pairing {
    Token a;
    Token b;
    std::int32_t first_day = 0;
    std::int32_t last_day = 0;
};

// The newest events of those days that both were in, at most `most`. Takes what it reads off
// `rows_left`, and ends early when there is none left: each identifier may have any number of
// events of its own.
Result<std::vector<EventRow>> seen_together(const storage::Snapshot& snapshot,
                                            const Pairing& pairing, std::size_t most,
                                            std::size_t& rows_left);

}  // namespace cdp
