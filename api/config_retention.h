#pragma once

#include "api/config_table.h"
#include "cdp/config.h"

namespace api {

// `retention`, a list of rules, and `retention_hours`; cdp/retention.h. After the policy, whose
// labels and purposes they name.
void read_retention(ConfigTable& document, cdp::Config& out);

}  // namespace api
