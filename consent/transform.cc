#include "consent/transform.h"

#include <algorithm>
#include <tuple>

#include "cdp/base/bytes.h"
#include "consent/json_string.h"
#include "consent/sha256.h"

namespace consent {
namespace {

bool is_text(std::string_view json) {
    return json.size() >= 2 && json.front() == '"' && json.back() == '"';
}

bool is_hash(std::string_view hex) {
    return hex.size() == 64 && std::ranges::all_of(hex, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

// Bytes of the character at the front of a JSON string's inside, which is not empty. What an escape
// stands for is one; so is a pair of surrogates.
std::size_t character(std::string_view text) {
    if (text[0] == '\\') {
        const bool unicode = text.size() >= 6 && text[1] == 'u';
        if (!unicode) return std::min<std::size_t>(2, text.size());
        const bool high = (text[2] == 'd' || text[2] == 'D') &&
                          std::string_view("89abAB").find(text[3]) != std::string_view::npos;
        const bool pair = high && text.size() >= 12 && text.substr(6, 2) == "\\u";
        return pair ? 12 : 6;
    }
    std::size_t bytes = 1;
    while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xc0U) == 0x80)
        ++bytes;
    return bytes;
}

std::string cut(std::string_view json, std::uint32_t characters) {
    const auto text = json.substr(1, json.size() - 2);
    std::size_t end = 0;
    for (; characters > 0 && end < text.size(); --characters) end += character(text.substr(end));
    return '"' + std::string(text.substr(0, end)) + '"';
}

std::optional<std::string> hashed(const Value& value, std::string_view form) {
    if (form.empty() || form == "plain") {
        if (value.normal.empty()) return std::nullopt;
        return cdp::to_hex(view(sha256(value.normal)));
    }
    const auto found = std::ranges::find(value.hashes, form, &NamedHash::form);
    if (found == value.hashes.end() || !is_hash(found->hex)) return std::nullopt;
    return std::string(found->hex);
}

int strictness(Transform transform) {
    switch (transform) {
        case Transform::raw: return 0;
        case Transform::truncate: return 1;
        case Transform::sha256: return 2;
        case Transform::keyed_token: return 3;
    }
    return 3;
}

}  // namespace

std::optional<std::string> transformed(const Value& value, const ChannelLabel& how) {
    if (how.transform == Transform::raw) return std::string(value.json);
    if (!is_text(value.json)) return std::nullopt;
    if (how.transform == Transform::truncate) return cut(value.json, how.length);
    if (how.transform == Transform::sha256) {
        const auto hex = hashed(value, how.form);
        return hex ? std::optional(json_string(*hex)) : std::nullopt;
    }
    if (value.keyed_token.empty()) return std::nullopt;
    return json_string(value.keyed_token);
}

bool is_stricter(const ChannelLabel& a, const ChannelLabel& b) {
    const auto of = [](const ChannelLabel& one) {
        return std::tuple(strictness(one.transform), -static_cast<std::int64_t>(one.length),
                          std::string_view(one.form));
    };
    return of(a) > of(b);
}

}  // namespace consent
