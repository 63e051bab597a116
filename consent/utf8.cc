#include "consent/utf8.h"

#include <array>

namespace consent {

std::optional<char32_t> take_code_point(std::string_view& text) {
    const auto first = static_cast<std::uint8_t>(text.front());
    text.remove_prefix(1);
    if (first < 0x80) return first;
    // Continuation bytes by lead byte, and the least that needs so many.
    const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4) return std::nullopt;
    constexpr std::array<char32_t, 4> kLeast{0, 0x80, 0x800, 0x10000};
    char32_t point = first & (0x3fU >> more);
    for (int i = 0; i < more; ++i) {
        if (text.empty()) return std::nullopt;
        const auto next = static_cast<std::uint8_t>(text.front());
        if ((next & 0xc0) != 0x80) return std::nullopt;
        text.remove_prefix(1);
        point = point << 6 | (next & 0x3fU);
    }
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    if (point < kLeast[static_cast<std::size_t>(more)] || point > 0x10ffff || surrogate)
        return std::nullopt;
    return point;
}

bool is_line(std::string_view text) {
    while (!text.empty()) {
        const auto point = take_code_point(text);
        if (!point || is_control(*point)) return false;
    }
    return true;
}

}  // namespace consent
