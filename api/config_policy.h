#pragma once

#include <optional>

#include "api/config_table.h"
#include "cdp/config.h"

namespace api {

// The tables about people and permission: identifier_types, purposes, channels, labels, traits,
// identifier_labels, events, categories. One that is given replaces its default whole, except that
// identifier_types adds to or replaces single types.
void read_policy(ConfigTable& document, cdp::Config& out);

// Checks what was read as a whole and finds the place in `document` of what is wrong.
void check_policy(const toml::table& document, cdp::Config& config,
                  std::optional<ConfigFault>& fault);

}  // namespace api
