#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "identity/identifier.h"

namespace identity {

// SHA-256 in lower-case hexadecimal: the only spelling in which hashes are compared and kept.
std::string sha256_hex(std::string_view text);

// A hash under which somebody else may know an e-mail address or a phone number.
struct HashedForm {
    std::string_view rule;  // what was hashed; snake_case
    std::string hex;

    friend bool operator==(const HashedForm&, const HashedForm&) = default;
};

// The hashes under which advertising systems and CRMs know the owner of `normal_form`, an e-mail
// address or a phone number; none for the other forms. At most five, each different, the first that
// of `normal_form` itself, the others in a fixed order.
//
// A rule is here only if one mailbox or one line stands behind its result: two people never get
// the same hash (docs/decisions/0012). All but the first are for recognising a hash that was sent,
// never a reason to join two addresses or numbers of which no hash was.
//
// Whoever holds a list of addresses or numbers can undo such a hash: it is personal data too.
std::vector<HashedForm> hashed_forms(Form form, std::string_view normal_form);

// The texts that others may have hashed of an identifier, by whatever function: those behind
// hashed_forms, a device's id also in capitals, of the other forms the normal form alone.
std::vector<std::string> hashed_texts(Form form, std::string_view normal_form);

// The text that a destination hashes for an e-mail address or a phone number given in our normal
// form, by the destination's name: plain, google, google_data_manager, meta, snap, tiktok, x, uid2,
// reddit, microsoft. For what leaves: it may be the same for two people, where the destination
// folds more than its mail provider does. nullopt: no such destination, or another form.
std::optional<std::string> destination_form(Form form, std::string_view normal_form,
                                            std::string_view destination);

// The type whose values are hashes of values of `type`; nullopt if there is none.
std::optional<std::string_view> hashed_type_of(std::string_view type);
// The other way round.
std::optional<std::string_view> plain_type_of(std::string_view hashed_type);

}  // namespace identity
