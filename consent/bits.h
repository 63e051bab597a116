#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "consent/signal_fault.h"

namespace consent {

// What a base64 character stands for: web-safe, and `+` and `/`, which some writers use instead.
// 0x40 for all that are none.
inline constexpr std::array<std::uint8_t, 256> kBase64Values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(0x40);
    constexpr std::string_view kLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (std::size_t i = 0; i < kLetters.size(); ++i)
        values[static_cast<unsigned char>(kLetters[i])] = static_cast<std::uint8_t>(i);
    values['+'] = values['-'];
    values['/'] = values['_'];
    return values;
}();

// Up to two `=`, which no consent string should end with and a few do, are left off.
constexpr std::string_view without_padding(std::string_view text) {
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    return text;
}

constexpr bool is_base64(std::string_view text) {
    unsigned all = 0;
    for (const char c : text) all |= kBase64Values[static_cast<unsigned char>(c)];
    return all < 0x40;
}

// Takes the next segment, and the dot behind it, off the text.
constexpr std::string_view cut_segment(std::string_view& text) {
    const auto dot = text.find('.');
    const auto segment = text.substr(0, dot);
    text = dot == text.npos ? std::string_view{} : text.substr(dot + 1);
    return without_padding(segment);
}

// Reads numbers out of base64 text, highest bit first, six bits a character. Keeps a view of the
// text and copies nothing. Reading past the end yields 0, and so does everything after that; who
// reads looks at `failed` once, at the end.
class BitReader {
public:
    // Text for which is_base64 holds; characters for which it does not read as anything.
    explicit BitReader(std::string_view text, std::size_t position = 0)
        : text_(text), position_(position) {}

    // 1 <= n <= 36
    std::uint64_t read(unsigned n) {
        if (n > left()) {
            fail();
            return 0;
        }
        auto at = position_ / 6;
        const auto used = static_cast<unsigned>(position_ % 6);
        std::uint64_t value = (kBase64Values[byte(at)] & 0x3fU) & (0x3fU >> used);
        auto have = 6 - used;
        for (; have < n; have += 6) value = value << 6 | (kBase64Values[byte(++at)] & 0x3fU);
        position_ += n;
        return value >> (have - n);
    }
    bool bit() { return read(1) != 0; }
    void skip(std::size_t n) {
        if (n > left()) return fail();
        position_ += n;
    }

    bool failed() const { return failed_; }
    std::size_t position() const { return position_; }
    // 0 once failed.
    std::size_t left() const { return failed_ ? 0 : bits() - position_; }
    // Whether what is left is padding.
    bool rest_is_zero() const {
        auto rest = *this;
        while (rest.left() > 0)
            if (rest.read(rest.left() < 36 ? static_cast<unsigned>(rest.left()) : 36)) return false;
        return true;
    }

private:
    unsigned char byte(std::size_t at) const { return static_cast<unsigned char>(text_[at]); }
    std::size_t bits() const { return text_.size() * 6; }
    void fail() { failed_ = true; }

    std::string_view text_;
    std::size_t position_;
    bool failed_ = false;
};

}  // namespace consent
