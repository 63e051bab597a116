#pragma once

#include <cstddef>
#include <string>

#include "cdp/base/result.h"

// What every list that is read in pages refuses.
namespace cdp {

inline constexpr std::size_t kPageMax = 1000;

// invalid_argument unless 1 to kPageMax.
Result<void> check_limit(std::size_t limit);

// `pointer` names the parameter that it came in.
Error malformed_cursor(std::string pointer = "/cursor");

}  // namespace cdp
