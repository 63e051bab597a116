#pragma once

#include <string>
#include <vector>

#include "cdp/access.h"

namespace api {

// {"principals":[…]}: who holds keys, never the keys.
std::string render_principals(const std::vector<cdp::Principal>& principals);

}  // namespace api
