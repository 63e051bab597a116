#pragma once

#include "api/config_table.h"
#include "identity/identifier.h"

namespace api {

// The table identifier_types of `document`, if there is one: adds to `types` or changes single
// ones, each setting by itself. Rules that contradict each other are a fault.
void read_identifier_types(ConfigTable& document, identity::IdentifierTypes& types);

}  // namespace api
