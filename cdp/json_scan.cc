#include "cdp/json_scan.h"

#include <array>
#include <cstdint>

namespace cdp::json {
namespace {

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

enum class Kind : std::uint8_t { other, quote, open, close };

constexpr auto kKinds = [] {
    std::array<Kind, 256> kinds{};
    kinds['"'] = Kind::quote;
    kinds['{'] = kinds['['] = Kind::open;
    kinds['}'] = kinds[']'] = Kind::close;
    return kinds;
}();

Kind kind_of(char c) {
    return kKinds[static_cast<unsigned char>(c)];
}

// Ends a run such as `true`, `12` or rubbish.
bool ends_run(char c) {
    return is_space(c) || c == ',' || c == ':' || kind_of(c) != Kind::other;
}

std::optional<std::uint32_t> hex4(std::string_view digits) {
    if (digits.size() < 4) return std::nullopt;
    std::uint32_t value = 0;
    for (const char c : digits.substr(0, 4)) {
        value <<= 4;
        if (c >= '0' && c <= '9')
            value += static_cast<std::uint32_t>(c - '0');
        else if (c >= 'a' && c <= 'f')
            value += static_cast<std::uint32_t>(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            value += static_cast<std::uint32_t>(c - 'A' + 10);
        else
            return std::nullopt;
    }
    return value;
}

void append_utf8(std::string& out, std::uint32_t code) {
    const auto tail = [&](int shift) {
        out.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3f)));
    };
    if (code < 0x80) {
        out.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
        out.push_back(static_cast<char>(0xc0 | (code >> 6)));
        tail(0);
    } else if (code < 0x10000) {
        out.push_back(static_cast<char>(0xe0 | (code >> 12)));
        tail(6);
        tail(0);
    } else {
        out.push_back(static_cast<char>(0xf0 | (code >> 18)));
        tail(12);
        tail(6);
        tail(0);
    }
}

// Reads what follows `\u` and appends it; the number of bytes read, 0 if it is no character.
std::size_t append_unicode(std::string& out, std::string_view rest) {
    const auto first = hex4(rest);
    if (!first) return 0;
    if (*first < 0xd800 || *first > 0xdfff) {
        append_utf8(out, *first);
        return 4;
    }
    if (*first > 0xdbff || rest.substr(4, 2) != "\\u") return 0;
    const auto second = hex4(rest.substr(6));
    if (!second || *second < 0xdc00 || *second > 0xdfff) return 0;
    append_utf8(out, 0x10000 + ((*first - 0xd800) << 10) + (*second - 0xdc00));
    return 10;
}

}  // namespace

void Scan::skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

bool Scan::take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
}

bool Scan::at_end() {
    skip_space();
    return at_ == text_.size();
}

// From the opening quote to behind the closing one: the first that an even number of backslashes
// stands before.
bool Scan::skip_string() {
    const std::size_t inside = at_ + 1;
    for (std::size_t quote = inside;; ++quote) {
        quote = text_.find('"', quote);
        if (quote == std::string_view::npos) break;
        std::size_t backslashes = 0;
        while (quote - backslashes > inside && text_[quote - backslashes - 1] == '\\')
            ++backslashes;
        if (backslashes % 2 == 0) {
            at_ = quote + 1;
            return true;
        }
    }
    at_ = text_.size();
    return false;
}

bool Scan::skip_brackets() {
    open_.clear();
    while (true) {
        std::size_t i = at_;
        while (i < text_.size() && kind_of(text_[i]) == Kind::other) ++i;
        at_ = i;
        if (i == text_.size()) return false;
        const char c = text_[i];
        if (c == '"') {
            if (!skip_string()) return false;
            continue;
        }
        ++at_;
        if (kind_of(c) == Kind::open) {
            open_.push_back(c == '{' ? '}' : ']');
            if (open_.size() > depth_) depth_ = open_.size();
            continue;
        }
        if (open_.back() != c) return false;
        open_.pop_back();
        if (open_.empty()) return true;
    }
}

std::optional<std::string_view> Scan::value() {
    skip_space();
    if (at_ == text_.size()) return std::nullopt;
    const std::size_t begin = at_;
    switch (kind_of(text_[at_])) {
        case Kind::quote:
            if (!skip_string()) return std::nullopt;
            break;
        case Kind::open:
            if (!skip_brackets()) return std::nullopt;
            break;
        case Kind::close: return std::nullopt;
        case Kind::other:
            while (at_ < text_.size() && !ends_run(text_[at_])) ++at_;
            if (at_ == begin) return std::nullopt;
            break;
    }
    return text_.substr(begin, at_ - begin);
}

std::optional<std::string_view> Scan::key() {
    skip_space();
    if (at_ == text_.size() || text_[at_] != '"') return std::nullopt;
    const std::size_t begin = at_ + 1;
    if (!skip_string()) return std::nullopt;
    const auto inside = text_.substr(begin, at_ - 1 - begin);
    if (!take(':')) return std::nullopt;
    return inside;
}

std::vector<Member> members_of(std::string_view text) {
    Scan scan(text);
    std::vector<Member> members;
    if (!scan.take('{') || scan.take('}')) return {};
    do {
        const auto key = scan.key();
        if (!key) return {};
        const auto value = scan.value();
        if (!value) return {};
        members.push_back({*key, *value});
    } while (scan.take(','));
    if (!scan.take('}') || !scan.at_end()) return {};
    return members;
}

std::string_view member_of(std::string_view object, std::string_view name) {
    Scan scan(object);
    if (!scan.take('{')) return {};
    do {
        const auto key = scan.key();
        if (!key) return {};
        const auto value = scan.value();
        if (!value) return {};
        if (key_is(*key, name)) return *value;
    } while (scan.take(','));
    return {};
}

bool key_is(std::string_view key, std::string_view name) {
    if (key == name) return true;
    return key.find('\\') != std::string_view::npos && unescape(key) == name;
}

std::optional<std::string> unescape(std::string_view inside) {
    std::string out;
    out.reserve(inside.size());
    for (std::size_t i = 0; i < inside.size(); ++i) {
        if (inside[i] != '\\') {
            out.push_back(inside[i]);
            continue;
        }
        if (++i == inside.size()) return std::nullopt;
        switch (inside[i]) {
            case '"':
            case '\\':
            case '/': out.push_back(inside[i]); break;
            case 'b': out.push_back('\b'); break;
            case 'f': out.push_back('\f'); break;
            case 'n': out.push_back('\n'); break;
            case 'r': out.push_back('\r'); break;
            case 't': out.push_back('\t'); break;
            case 'u': {
                const std::size_t read = append_unicode(out, inside.substr(i + 1));
                if (read == 0) return std::nullopt;
                i += read;
                break;
            }
            default: return std::nullopt;
        }
    }
    return out;
}

std::string minify(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (!in_string && is_space(c)) continue;
        out.push_back(c);
        if (c == '"') in_string = !in_string;
        if (c == '\\' && in_string && i + 1 < text.size()) out.push_back(text[++i]);
    }
    return out;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

}  // namespace cdp::json
