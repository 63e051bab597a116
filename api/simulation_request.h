#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "cdp/base/result.h"
#include "cdp/rule_simulation.h"

namespace api {

// What POST /v1/identity/simulate is sent. `rules` says it in the words of the configuration, and
// is refused with its sentences; the error's pointer names the place.
cdp::Result<cdp::SimulationRequest> read_simulation(std::string_view body,
                                                    const identity::IdentifierTypes& in_force);

}  // namespace api
