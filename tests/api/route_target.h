#pragma once

#include <string>

#include "api/routes.h"

namespace tests {

// A target that leads to a route: the word "events" for what stands in braces.
inline std::string target_of(const api::Route& route) {
    std::string out(route.path);
    const auto open = out.find('{');
    if (open != out.npos) out.replace(open, out.find('}') - open + 1, "events");
    return out;
}

}  // namespace tests
