#pragma once

#include <string>
#include <string_view>

namespace identity {

// Without outer ASCII white space.
std::string_view trim(std::string_view text);

// No code point: next_code_point met bytes that are not UTF-8.
constexpr char32_t kNotUtf8 = 0xffff'ffff;

// Takes the first code point off a text that is not empty.
char32_t next_code_point(std::string_view& text);

// Valid UTF-8 without U+0000 to U+001F.
bool is_plain_text(std::string_view text);

bool is_ascii(std::string_view text);

// Only A to Z change.
std::string ascii_lower(std::string_view text);
bool equal_ignoring_ascii_case(std::string_view a, std::string_view b);

// Unicode normal form KC of valid UTF-8.
std::string nfkc(std::string_view text);

// Letter by letter lower case in normal form KC, of valid UTF-8. No language has a say: the Turkish
// capital dotted I becomes a plain i everywhere.
std::string lower_nfkc(std::string_view text);

// Of valid UTF-8: every code point is white space or cannot be seen.
bool is_blank(std::string_view text);

}  // namespace identity
