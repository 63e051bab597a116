#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cdp/config.h"
#include "consent/policy.h"
#include "storage/vault.h"

// What a value is, before the gate is asked about it.
namespace cdp {

// An e-mail address or phone number, as the identifier it is.
struct Contact {
    std::string type;
    std::string normal;
    Token token;
};

// A trait or property as it stands in the store.
struct FieldText {
    std::string_view name = {};
    std::span<const std::string> labels = {};  // from the policy
    std::string_view json = {};
    std::string_view source = {};  // whose region its phone numbers are of
    bool of_event = false;         // a property: names inside are properties too
};

struct FieldClass {
    // Those of the text, and those of the traits that bear the names of members inside the value,
    // however deep. None when the text has none: parts do not open what is unmapped as a whole.
    consent::Labels labels = {};
    // By name or label a contact, or something that holds one.
    bool is_contact = false;
    // The contact it is; nullopt also when it is one that cannot be read.
    std::optional<Contact> contact = {};
    // A contact that the text names, whatever it is called, and that is suppressed: see
    // People::heed_named.
    std::optional<Token> suppressed = {};
    bool untold = false;  // by its own name: not even that is told

    // What must be allowed to leave for the text to leave.
    std::optional<Token> value() const {
        return suppressed ? suppressed : contact ? std::optional(contact->token) : std::nullopt;
    }
};

FieldClass classify(const Config& config, const storage::Vault& vault, const FieldText& field);

}  // namespace cdp
