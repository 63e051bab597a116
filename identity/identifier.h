#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace identity {

// How strong the claim is that two touchpoints with this identifier are one human; best first. The
// order is the fold's order and is written into stored evidence: never renumber.
enum class LinkClass : std::uint8_t {
    assertion = 0,
    account = 1,
    verified_contact = 2,
    crm = 3,
    unverified_contact = 4,
    device = 5,
    cookie = 6,
    probabilistic = 7,
};

std::string_view to_string(LinkClass value);

// An e-mail address or a phone number, verified or not.
constexpr bool is_contact(LinkClass value) {
    return value == LinkClass::verified_contact || value == LinkClass::unverified_contact;
}

// How a normal form is made of what was sent.
enum class Form : std::uint8_t {
    opaque,  // kept byte for byte, outer white space trimmed; never lower-cased
    email,
    phone,
    device,  // opaque, but UUIDs in canonical lower case, and all-zero ones are null-like
    sha256,  // 64 hexadecimal digits, or base64 of 32 bytes; becomes lower-case hexadecimal
};

// One type of identifier: `user_id`, `email`, a configured external type.
struct IdentifierType {
    std::string name;
    LinkClass link_class = LinkClass::crm;
    Form form = Form::opaque;
    bool unique = false;  // one person holds at most one value

    // The identifier is *shared*, belongs to nobody and never merges, once it was seen directly
    // with this many accounts, or with more than this many contacts or cookies. 0: no such limit.
    std::uint16_t shared_at_accounts = 0;
    std::uint16_t contacts_max = 0;
    std::uint16_t cookies_max = 0;

    // One person holds at most this many values seen within any `limit_window_days` of event time;
    // 0 days: ever. 0: no such limit.
    std::uint16_t limit = 0;
    std::uint16_t limit_window_days = 0;

    // Values that are refused like the null-like list, given as sent or in normal form.
    std::vector<std::string> blocked = {};
};

// An external identifier of a type that nobody configured is shared once it was seen with this many
// accounts: what so many have in common is a shop or a household, no person.
inline constexpr std::uint16_t kExternalAccountsMax = 10;

// The types in force. Unknown names seen in `externalIds` are types of their own, class crm, not
// unique, opaque, shared at kExternalAccountsMax accounts.
class IdentifierTypes {
public:
    // DESIGN section 7's table.
    static IdentifierTypes defaults();

    // Adds or replaces.
    void set(IdentifierType type);
    // Always answers; for an unknown name the type described above.
    IdentifierType find(std::string_view name) const;
    // The same without its name, for an unknown one.
    const IdentifierType& known(std::string_view name) const;
    const std::map<std::string, IdentifierType, std::less<>>& all() const { return types_; }

private:
    std::map<std::string, IdentifierType, std::less<>> types_;
    IdentifierType external_{.name = "external", .shared_at_accounts = kExternalAccountsMax};
};

// 1 to 64 of [a-z0-9._-], starting with a letter: what may name a type.
bool is_type_name(std::string_view name);

enum class Refusal : std::uint8_t {
    null_like,  // "null", "undefined", all zeros, an unrendered template, a placeholder address...
                // but not jane@example.com: null_like.h says why
    malformed,  // not an e-mail address, not a possible phone number, over 512 bytes, bad UTF-8
    blocked,    // configured
};

std::string_view to_string(Refusal value);

// The normal form of `raw`, or why it identifies nobody. Pure: same input, same answer. `region` is
// an ISO 3166-1 alpha-2 code for phone numbers without a country code; empty: such numbers are
// malformed.
std::variant<std::string, Refusal> normal_form(const IdentifierType& type, std::string_view raw,
                                               std::string_view region);

// One identifier as it was observed in one event or request.
struct Identifier {
    std::string type;
    std::string value;  // normal form
    std::string raw;    // as sent
    LinkClass link_class =
        LinkClass::cookie;  // of this observation: a contact may be verified or not

    friend bool operator==(const Identifier&, const Identifier&) = default;
};

}  // namespace identity
