#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "cdp/event_links.h"
#include "identity/neighbourhood.h"

namespace cdp {

// What retractions took from the links of some identifiers event by event. Looks at the newest
// events of each, as many as `rows_left` and a bound for each identifier let it: beyond that a
// retraction stands and is not named.
Result<std::vector<identity::Taking>> taken_by_event(const EventLinks& links,
                                                     const storage::Snapshot& snapshot,
                                                     storage::Transaction& transaction,
                                                     std::span<const Token> of,
                                                     std::size_t& rows_left);

}  // namespace cdp
