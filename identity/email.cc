#include "identity/email.h"

#include <unicode/bytestream.h>
#include <unicode/idna.h>
#include <unicode/stringpiece.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "cdp/base/assert.h"
#include "identity/null_like.h"
#include "identity/text.h"

namespace identity {
namespace {

constexpr std::size_t kLocalMax = 64;     // RFC 5321, 4.5.3.1.1
constexpr std::size_t kAddressMax = 254;  // RFC 5321, 4.5.3.1.3, without the brackets
constexpr std::size_t kLabelMax = 63;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_high(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}

bool is_atext(char c) {
    return is_lower(c) || is_digit(c) || is_high(c) ||
           std::string_view{"!#$%&'*+-/=?^_`{|}~"}.find(c) != std::string_view::npos;
}

bool is_dot_string(std::string_view local) {
    char before = '.';
    for (const char c : local) {
        if (c == '.' ? before == '.' : !is_atext(c)) return false;
        before = c;
    }
    return before != '.';
}

// Letters that cannot be told from nothing, or stand for none, have no place in an address.
bool has_only_visible(std::string_view text) {
    while (!text.empty()) {
        const auto c = static_cast<UChar32>(next_code_point(text));
        if (c < 0x80) continue;
        if (!u_isdefined(c) || u_isUWhiteSpace(c) || u_iscntrl(c) ||
            u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
            return false;
    }
    return true;
}

// What stands between the quotes, without its backslashes.
std::optional<std::string> unquoted(std::string_view quoted) {
    if (quoted.size() < 2 || quoted.front() != '"') return std::nullopt;
    std::string content;
    for (std::size_t i = 1; i < quoted.size(); ++i) {
        const char c = quoted[i];
        if (c == '"') {
            if (i + 1 != quoted.size()) return std::nullopt;
            return content;
        }
        if (c == '\x7f') return std::nullopt;
        if (c != '\\') {
            content.push_back(c);
            continue;
        }
        ++i;
        if (i == quoted.size() || is_high(quoted[i]) || quoted[i] == '\x7f') return std::nullopt;
        content.push_back(quoted[i]);
    }
    return std::nullopt;
}

std::string quoted(std::string_view content) {
    std::string out = "\"";
    for (const char c : content) {
        if (c == '"' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
    return out + '"';
}

std::optional<std::string> local_form(std::string_view local) {
    if (local.empty() || local.size() > kLocalMax || !has_only_visible(local)) return std::nullopt;
    auto form = lower_nfkc(local);
    if (form.front() == '"') {
        const auto content = unquoted(form);
        if (!content) return std::nullopt;
        form = is_dot_string(*content) ? *content : quoted(*content);
    } else if (!is_dot_string(form)) {
        return std::nullopt;
    }
    if (form.size() > kLocalMax || !has_only_visible(form)) return std::nullopt;
    return form;
}

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= kLabelMax && label.front() != '-' &&
           label.back() != '-' && std::ranges::all_of(label, [](char c) {
               return is_lower(c) || is_digit(c) || c == '-';
           });
}

bool is_host_name(std::string_view domain) {
    for (;;) {
        const auto dot = domain.find('.');
        const auto label = domain.substr(0, dot);
        if (!is_label(label)) return false;
        // Without this every IP address, and many a decimal number, would be a domain.
        if (dot == domain.npos) return !std::ranges::all_of(label, is_digit);
        domain.remove_prefix(dot + 1);
    }
}

std::optional<std::string> to_ascii(std::string_view domain) {
    UErrorCode status = U_ZERO_ERROR;
    static const icu::IDNA* const idna = icu::IDNA::createUTS46Instance(
        UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ, status);
    CDP_ASSERT(idna != nullptr);

    std::string out;
    icu::StringByteSink<std::string> sink(&out);
    icu::IDNAInfo info;
    idna->nameToASCII_UTF8({domain.data(), static_cast<std::int32_t>(domain.size())}, sink, info,
                           status);
    // Hyphens in third and fourth place are reserved, yet names with them have been registered.
    if (U_FAILURE(status) || (info.getErrors() & ~std::uint32_t{UIDNA_ERROR_HYPHEN_3_4}) != 0)
        return std::nullopt;
    return out;
}

std::optional<std::string> domain_form(std::string_view domain) {
    auto form = ascii_lower(domain);
    if (!is_ascii(form) || form.find("xn--") != form.npos) {
        auto ascii = to_ascii(form);
        if (!ascii) return std::nullopt;
        form = std::move(*ascii);
    }
    if (!is_host_name(form)) return std::nullopt;
    return form;
}

// Marks that travel along when an address is copied from a page: zero-width space, byte order mark,
// left-to-right and right-to-left marks, word joiner.
constexpr std::string_view kInvisible[] = {"\u200b", "\ufeff", "\u200e", "\u200f", "\u2060"};

std::string_view trim_invisible(std::string_view text) {
    for (bool again = true; again;) {
        again = false;
        text = trim(text);
        for (const auto mark : kInvisible) {
            const auto before = text.size();
            if (text.starts_with(mark)) text.remove_prefix(mark.size());
            if (text.ends_with(mark)) text.remove_suffix(mark.size());
            again = again || text.size() != before;
        }
    }
    return text;
}

std::string_view unwrapped(std::string_view text) {
    constexpr std::string_view kScheme = "mailto:";
    for (;;) {
        text = trim_invisible(text);
        if (text.size() >= 2 && text.front() == '<' && text.back() == '>') {
            text = text.substr(1, text.size() - 2);
        } else if (equal_ignoring_ascii_case(text.substr(0, kScheme.size()), kScheme)) {
            text.remove_prefix(kScheme.size());
            text = text.substr(0, text.find('?'));
        } else {
            return text;
        }
    }
}

}  // namespace

std::variant<std::string, Refusal> email_form(std::string_view text) {
    const auto composed = nfkc(text);
    const auto address = unwrapped(composed);
    const auto at = address.rfind('@');
    if (at == address.npos) return Refusal::malformed;

    auto local = local_form(address.substr(0, at));
    const auto domain = domain_form(address.substr(at + 1));
    if (!local || !domain) return Refusal::malformed;
    if (is_null_like_email(*local, *domain)) return Refusal::null_like;

    auto form = std::move(*local) + '@' + *domain;
    if (form.size() > kAddressMax) return Refusal::malformed;
    return form;
}

}  // namespace identity
