#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "cdp/retention_rule.h"
#include "consent/controller.h"
#include "consent/google.h"
#include "consent/policy.h"
#include "identity/identifier.h"

namespace cdp {

// Where an identifier is asked for, this type stands for a person's id. Nothing observed has it.
inline constexpr std::string_view kPersonType = "person";

// The platform's configuration: read once, checked, then const. api/config.cc reads it from TOML.
struct Config {
    consent::Policy policy = consent::default_policy();
    identity::IdentifierTypes types = identity::IdentifierTypes::defaults();

    // What Google's four signals rest on; a purpose that is not declared is never granted.
    consent::GooglePurposes google = {
        {{"advertising"}, {"advertising"}, {"advertising"}, {"analytics"}}};

    consent::Controller controller;  // whose platform it is, as receipts say

    std::string default_region;  // for phone numbers; empty: none
    std::map<std::string, std::string, std::less<>> source_regions;  // per source name

    const std::string& region_of(std::string_view source) const {
        const auto own = source_regions.find(source);
        return own == source_regions.end() ? default_region : own->second;
    }

    std::chrono::days dedupe_window{30};

    // Events on a shared identifier at most this far apart may be of one visit, see cdp/sessions.h.
    std::chrono::minutes session{30};

    // What is not kept for ever, and how often that is looked for; cdp/retention.h.
    RetentionRules retention;
    std::chrono::hours retention_every{24};

    // Transactions at the disk, or unfinished requests, above which new work is refused (429). What
    // they take of memory is bounded by it too; cdp/backlog.h.
    std::size_t waiting_max = 20'000;
};

}  // namespace cdp
