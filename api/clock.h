#pragma once

#include <string>

#include "cdp/base/result.h"
#include "storage/trusted_time.h"

namespace api {

// {"clock":…,"trusted":…,"believed":…,"ahead_seconds":…}, one line.
std::string render_clock(const storage::TrustedTime::Standing& standing);

// The verbs of `cdp clock`. Both take the running server's admin socket if there is one.
int show_clock(const std::string& data, bool json);
int accept_clock(const std::string& data, bool json);

}  // namespace api
