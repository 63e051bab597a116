#pragma once

#include <string>
#include <string_view>

#include "cdp/access.h"

// Who brings requests: role:name of a key, uid:N at the machine itself, agent:ID, iab:DOMAIN.
namespace cdp {

// What stands behind the colon.
std::string_view name_in_sender(std::string_view sender);

// For whom something is done. A protocol's sender has no key: an officer's rights, and a name that
// no key has, since it is the whole of it.
Principal principal_of(std::string_view sender);

// As `role:name`, or the whole name of one who has no key.
std::string speaker_of(const Principal& principal);

}  // namespace cdp
