#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "consent/policy.h"
#include "identity/identifier.h"

namespace cdp {

// The platform's configuration: read once, checked, then const. api/config.cc reads it from TOML.
struct Config {
    consent::Policy policy = consent::default_policy();
    identity::IdentifierTypes types = identity::IdentifierTypes::defaults();

    std::string default_region;                         // for phone numbers; empty: none
    std::map<std::string, std::string> source_regions;  // per source name

    std::chrono::days dedupe_window{30};

    // Transactions waiting for the disk above which new work is refused (503).
    std::size_t waiting_max = 20'000;
};

}  // namespace cdp
