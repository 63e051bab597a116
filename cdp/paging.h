#pragma once

#include <cstddef>

#include "cdp/base/result.h"

// What every list that is read in pages refuses.
namespace cdp {

inline constexpr std::size_t kPageMax = 1000;

// invalid_argument unless 1 to kPageMax.
Result<void> check_limit(std::size_t limit);

Error malformed_cursor();

}  // namespace cdp
