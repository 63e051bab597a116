#include "identity/text.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "cdp/base/assert.h"

namespace identity {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

icu::StringPiece piece(std::string_view text) {
    return {text.data(), static_cast<std::int32_t>(text.size())};
}

}  // namespace

char32_t next_code_point(std::string_view& text) {
    const auto size = static_cast<std::int32_t>(text.size());
    std::int32_t read = 0;
    UChar32 c;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"  // inside ICU's macro
    U8_NEXT(text.data(), read, size, c);       // NOLINT(bugprone-inc-dec-in-conditions): ICU's too
#pragma GCC diagnostic pop
    text.remove_prefix(static_cast<std::size_t>(read));
    return c < 0 ? kNotUtf8 : static_cast<char32_t>(c);
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

bool is_plain_text(std::string_view text) {
    bool control = false;
    bool high = false;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        control |= byte < 0x20;
        high |= byte >= 0x80;
    }
    if (control) return false;
    if (!high) return true;
    while (!text.empty())
        if (next_code_point(text) == kNotUtf8) return false;
    return true;
}

bool is_ascii(std::string_view text) {
    bool high = false;
    for (const char c : text) high |= static_cast<unsigned char>(c) >= 0x80;
    return !high;
}

std::string ascii_lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), lower);
    return out;
}

bool equal_ignoring_ascii_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::string nfkc(std::string_view text) {
    if (is_ascii(text)) return std::string{text};
    UErrorCode status = U_ZERO_ERROR;
    static const icu::Normalizer2* const form = icu::Normalizer2::getNFKCInstance(status);
    CDP_ASSERT(form != nullptr);

    std::string out;
    icu::StringByteSink<std::string> sink(&out);
    form->normalizeUTF8(0, piece(text), sink, nullptr, status);
    CDP_ASSERT(U_SUCCESS(status));
    return out;
}

std::string lower_nfkc(std::string_view text) {
    if (is_ascii(text)) return ascii_lower(text);
    std::string now = nfkc(text);
    // Lower case can make new compositions possible, and those have been in lower case since: two
    // rounds suffice in practice, and the bound keeps a surprise in a newer Unicode from looping.
    for (int round = 0; round < 4; ++round) {
        std::string lowered;
        for (std::string_view rest = now; !rest.empty();) {
            char bytes[U8_MAX_LENGTH];
            std::int32_t n = 0;
            U8_APPEND_UNSAFE(bytes, n, u_tolower(static_cast<UChar32>(next_code_point(rest))));
            lowered.append(bytes, static_cast<std::size_t>(n));
        }
        auto next = nfkc(lowered);
        if (next == now) break;
        now = std::move(next);
    }
    return now;
}

bool is_blank(std::string_view text) {
    while (!text.empty()) {
        const auto c = static_cast<UChar32>(next_code_point(text));
        if (!u_isUWhiteSpace(c) && !u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
            return false;
    }
    return true;
}

}  // namespace identity
