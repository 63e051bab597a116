#pragma once

#include <cstddef>
#include <string>

#include "cdp/agents.h"
#include "cdp/base/result.h"

namespace api {

inline constexpr std::size_t kDrpBodyMax = std::size_t{64} * 1024;

// What the configuration says of the Data Rights Protocol; the defaults without a file. The file
// was read and checked before.
cdp::Result<cdp::AgentTerms> agent_terms(const std::string& file);

}  // namespace api
