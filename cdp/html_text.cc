#include "cdp/html_text.h"

#include <cstdint>

namespace cdp {

namespace {

// How many bytes from here on a page must not have as they are: they are not to be seen, and some
// make what follows read as what it is not. 0: none.
std::size_t unseen_at(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto first = byte(0);
    if (first == '\t' || first == '\n') return 0;
    if (first < 0x20 || first == 0x7f) return 1;
    if (first == 0xc2 && byte(1) >= 0x80 && byte(1) <= 0x9f) return 2;  // U+0080 to U+009F
    if (first != 0xe2) return 0;
    // U+2028 to U+202E, U+2066 to U+2069: ends of lines, and what turns the direction of text.
    const bool turns = (byte(1) == 0x80 && byte(2) >= 0xa8 && byte(2) <= 0xae) ||
                       (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9);
    return turns ? 3 : 0;
}

// [U+202E]
std::string named(std::string_view character) {
    std::uint32_t code = static_cast<unsigned char>(character.front());
    if (character.size() == 2) code &= 0x1fU;
    if (character.size() == 3) code &= 0x0fU;
    for (const char c : character.substr(1))
        code = (code << 6) | (static_cast<unsigned>(c) & 0x3fU);
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out = "[U+";
    for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(code >> shift) & 0xfU];
    return out + ']';
}

}  // namespace

std::string html_text(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (const auto unseen = unseen_at(text.substr(at))) {
            out += named(text.substr(at, unseen));
            at += unseen - 1;
            continue;
        }
        const char c = text[at];
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
    }
    return out;
}

}  // namespace cdp
