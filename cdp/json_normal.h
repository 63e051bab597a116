#pragma once

#include <string>
#include <string_view>

namespace cdp::json {

// One text for values that mean the same: no white space, members by name, strings by what they
// say, numbers by their value where a double holds it. Of text that passed json_check or simdjson.
std::string normal(std::string_view text);

}  // namespace cdp::json
