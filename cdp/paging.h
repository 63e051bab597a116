#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cdp/base/result.h"

// What every list that is read in pages refuses.
namespace cdp {

inline constexpr std::size_t kPageMax = 1000;

// invalid_argument unless 1 to kPageMax.
Result<void> check_limit(std::size_t limit);

// A place in a list, as its reader keeps it: hexadecimal digits that open for the question they
// were given out by, and for no other. What must not be read in it is sealed instead:
// consent/cursor.h.
std::string cursor_to(std::string_view question, std::string_view place);
// The place, empty when the cursor is; malformed_cursor.
Result<std::string> place_in(std::string_view question, std::string_view cursor);

// `pointer` names the parameter that it came in.
Error malformed_cursor(std::string pointer = "/cursor");

}  // namespace cdp
