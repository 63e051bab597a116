#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace consent {

// Takes the first code point off `text`, which must not be empty; nullopt when the bytes there are
// none (overlong, surrogate, cut, out of range).
std::optional<char32_t> take_code_point(std::string_view& text);

}  // namespace consent
