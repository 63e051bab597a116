#pragma once

#include <cstddef>
#include <vector>

#include "identity/assertion.h"

namespace identity {

// Identifiers that must-links are followed over from either end of an assertion.
inline constexpr std::size_t kMustWalkMax = 1000;

// The standing assertions that a must_link or a cannot_link contradicts without saying the opposite
// of the same two: of a cannot_link the must_links of the shortest way between its ends, of a
// must_link the cannot_links between those who must be with the one and those who must be with the
// other. The fold lets the cannot_link win. None for other kinds. Whether the assertion itself
// stands makes no difference. Beyond kMustWalkMax identifiers nothing is looked for.
cdp::Result<std::vector<AssertionId>> contradicted_by(storage::Transaction& transaction,
                                                      const Assertion& assertion);

}  // namespace identity
