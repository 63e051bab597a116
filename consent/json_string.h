#pragma once

#include <string>
#include <string_view>

namespace consent {

// `text` as a JSON string, quotes included. `text` is UTF-8.
std::string json_string(std::string_view text);

}  // namespace consent
