#pragma once

#include <vector>

#include "api/routes.h"

namespace api {

// The paths of OpenDSR, with their older names, and of the IAB's deletion requests;
// docs/decisions/0032.
void add_opendsr(std::vector<Route>& out);
void add_iab(std::vector<Route>& out);

}  // namespace api
