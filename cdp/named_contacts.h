#pragma once

#include <string_view>
#include <vector>

#include "cdp/config.h"
#include "cdp/field.h"
#include "cdp/hash_kind.h"
#include "storage/vault.h"

// Whom a text names that is called neither an address nor a number; docs/decisions/0030.
namespace cdp {

struct TextFrom {
    std::string_view source = {};  // whose region its phone numbers are of
    bool numbers = true;           // looked for too: 20 µs for each that may be one
};

// Every e-mail address and phone number that the text is, and every hash that it may be of one;
// also the addresses and hashes among its words. Of a text that has none of it costs a look at its
// letters.
std::vector<Contact> contacts_in(const Config& config, const storage::Vault& vault,
                                 std::string_view text, const TextFrom& from);

// The same of every string, long integer and name of a member in a JSON value, however deep.
std::vector<Contact> contacts_in_json(const Config& config, const storage::Vault& vault,
                                      std::string_view json, const TextFrom& from);

// Of the type of a phone number, or of hashes of one.
bool is_of_numbers(const Config& config, std::string_view type);

// A hash of an address or number of `type` by whatever function, as what it is known by: that of
// SHA-256 is the identifier that identity/hashed.h names.
Contact hash_of_contact(const storage::Vault& vault, std::string_view type, HashKind kind,
                        std::string hex);

// All of an address or number, under docs/decisions/0012's rules; none of another identifier.
std::vector<Contact> hashes_of(const Config& config, const storage::Vault& vault,
                               const Contact& contact);

}  // namespace cdp
