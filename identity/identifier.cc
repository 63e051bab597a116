#include "identity/identifier.h"

#include <algorithm>
#include <optional>

#include "cdp/base/assert.h"
#include "cdp/base/ids.h"
#include "identity/email.h"
#include "identity/null_like.h"
#include "identity/phone.h"
#include "identity/text.h"

namespace identity {
namespace {

constexpr std::size_t kLongest = 512;
constexpr std::size_t kSha256Bytes = 32;

bool is_hex(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
}

bool is_uuid(std::string_view text) {
    if (text.size() != 36) return false;
    for (const std::size_t dash : {8U, 13U, 18U, 23U})
        if (text[dash] != '-') return false;
    return is_hex(text.substr(0, 8)) && is_hex(text.substr(9, 4)) && is_hex(text.substr(14, 4)) &&
           is_hex(text.substr(19, 4)) && is_hex(text.substr(24));
}

std::variant<std::string, Refusal> device_form(std::string_view text) {
    auto bare = text;
    if (bare.size() == 38 && bare.front() == '{' && bare.back() == '}') bare = bare.substr(1, 36);
    const auto lower = ascii_lower(bare);
    if (is_null_like_device(lower)) return Refusal::null_like;
    return is_uuid(bare) ? lower : std::string{text};
}

int base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    if (c == '/' || c == '_') return 63;
    return -1;
}

// Both alphabets, with or without padding; nullopt also if bits are left over.
std::optional<std::string> from_base64(std::string_view text) {
    std::string bytes;
    unsigned bits = 0;
    int held = 0;
    for (const char c : text.substr(0, text.find('='))) {
        const int digit = base64_digit(c);
        if (digit < 0) return std::nullopt;
        bits = (bits << 6) | static_cast<unsigned>(digit);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        bytes.push_back(static_cast<char>(bits >> held));
        bits &= (1U << held) - 1;
    }
    if (bits != 0) return std::nullopt;
    return bytes;
}

// As lower-case hexadecimal; nullopt unless `text` is a SHA-256 in hexadecimal or base64.
std::optional<std::string> sha256_form(std::string_view text) {
    if (text.size() == 2 * kSha256Bytes && is_hex(text)) return ascii_lower(text);
    if (text.size() != 43 && (text.size() != 44 || text.back() != '=')) return std::nullopt;
    const auto bytes = from_base64(text);
    if (!bytes || bytes->size() != kSha256Bytes) return std::nullopt;
    return cdp::to_hex(*bytes);
}

// For every type: sites use the hash of an address as a user id, too.
bool is_hash_of_nothing(std::string_view text) {
    const auto hex = sha256_form(text);
    return hex && is_null_like_sha256(*hex);
}

std::variant<std::string, Refusal> form_of(Form form, std::string_view text,
                                           std::string_view region) {
    switch (form) {
        case Form::opaque: return std::string{text};
        case Form::email: return email_form(text);
        case Form::phone: return phone_form(text, region);
        case Form::device: return device_form(text);
        case Form::sha256: {
            auto hex = sha256_form(text);
            if (!hex) return Refusal::malformed;
            return *std::move(hex);
        }
    }
    CDP_ASSERT(false);
}

bool is_blocked(const IdentifierType& type, std::string_view sent, std::string_view normal) {
    return std::ranges::any_of(type.blocked, [&](const std::string& value) {
        if (value == sent || value == normal) return true;
        return type.form != Form::opaque && equal_ignoring_ascii_case(value, normal);
    });
}

}  // namespace

std::string_view to_string(LinkClass value) {
    switch (value) {
        case LinkClass::assertion: return "assertion";
        case LinkClass::account: return "account";
        case LinkClass::verified_contact: return "verified_contact";
        case LinkClass::crm: return "crm";
        case LinkClass::unverified_contact: return "unverified_contact";
        case LinkClass::device: return "device";
        case LinkClass::cookie: return "cookie";
        case LinkClass::probabilistic: return "probabilistic";
    }
    CDP_ASSERT(false);
}

std::string_view to_string(Refusal value) {
    switch (value) {
        case Refusal::null_like: return "null_like";
        case Refusal::malformed: return "malformed";
        case Refusal::blocked: return "blocked";
    }
    CDP_ASSERT(false);
}

IdentifierTypes IdentifierTypes::defaults() {
    IdentifierTypes types;
    types.set({.name = "user_id", .link_class = LinkClass::account, .unique = true});
    for (const char* name : {"crm_id", "loyalty_id"})
        types.set({.name = name, .link_class = LinkClass::crm, .unique = true});

    const auto contact = [&](const char* name, Form form) {
        types.set({.name = name,
                   .link_class = LinkClass::unverified_contact,
                   .form = form,
                   .shared_at_accounts = 3,
                   .cookies_max = 25});
    };
    contact("email", Form::email);
    contact("phone", Form::phone);
    contact("email_sha256", Form::sha256);
    contact("phone_sha256", Form::sha256);

    for (const char* name :
         {"device_id", "advertising_id", "ios.idfa", "ios.id", "android.idfa", "android.id"})
        types.set({.name = name,
                   .link_class = LinkClass::device,
                   .form = Form::device,
                   .shared_at_accounts = 3,
                   .contacts_max = 6});
    types.set({.name = "anonymous_id",
               .link_class = LinkClass::cookie,
               .shared_at_accounts = 2,
               .contacts_max = 6});
    return types;
}

void IdentifierTypes::set(IdentifierType type) {
    auto name = type.name;
    types_.insert_or_assign(std::move(name), std::move(type));
}

IdentifierType IdentifierTypes::find(std::string_view name) const {
    IdentifierType type = known(name);
    type.name = name;
    return type;
}

const IdentifierType& IdentifierTypes::known(std::string_view name) const {
    const auto found = types_.find(name);
    return found == types_.end() ? external_ : found->second;
}

bool is_type_name(std::string_view name) {
    if (name.empty() || name.size() > 64 || name.front() < 'a' || name.front() > 'z') return false;
    return std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    });
}

std::variant<std::string, Refusal> normal_form(const IdentifierType& type, std::string_view raw,
                                               std::string_view region) {
    const auto text = trim(raw);
    if (text.size() > kLongest || !is_plain_text(text)) return Refusal::malformed;
    if (is_null_like(text) || is_hash_of_nothing(text)) return Refusal::null_like;

    auto result = form_of(type.form, text, region);
    const auto* normal = std::get_if<std::string>(&result);
    if (!normal) return result;
    if (type.form != Form::opaque && is_null_like(*normal)) return Refusal::null_like;
    if (is_blocked(type, text, *normal)) return Refusal::blocked;
    return result;
}

}  // namespace identity
