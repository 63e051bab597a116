#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace consent {

// Takes the first code point off `text`, which must not be empty; nullopt when the bytes there are
// none (overlong, surrogate, cut, out of range).
std::optional<char32_t> take_code_point(std::string_view& text);

// What is no part of a line: C0, DEL, C1, and what Unicode breaks lines and paragraphs with.
constexpr bool is_control(char32_t point) {
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029;
}

// Valid UTF-8 on one line.
bool is_line(std::string_view text);

}  // namespace consent
