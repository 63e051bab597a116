#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "identity/identifier.h"

namespace identity {

// The normal form of an e-mail address given as valid UTF-8.
//
// Accepted is RFC 5321's Mailbox with RFC 6531's letters, inside `mailto:` or angle brackets if
// need be; not its address literals, nor RFC 5322's comments, folding and obsolete forms, nor
// domains that end in a number. The local part becomes lower case and loses quotes it does not
// need; the domain becomes lower-case ASCII (UTS 46, non-transitional).
//
// Tags and dots stay: `jane+news@` and `jane@` are one mailbox at some providers and two at others,
// and two people once joined by a guess are hard to explain.
std::variant<std::string, Refusal> email_form(std::string_view text);

}  // namespace identity
