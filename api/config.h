#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include "api/disk_config.h"
#include "api/edge_config.h"
#include "api/iab_config.h"
#include "api/opendsr_config.h"
#include "api/outgoing.h"
#include "cdp/agents.h"
#include "cdp/base/result.h"
#include "cdp/config.h"

namespace api {

// What the preference centre calls purposes, by purpose and language tag. A purpose without a title
// is called by its name.
using PurposeTitles = std::map<std::string, std::map<std::string, std::string>, std::less<>>;

// Everything an operator can set, in one TOML file; docs/cdp.example.toml has it all, with the
// defaults.
struct Config {
    cdp::Config platform;

    unsigned threads = 0;    // 0: one per core
    std::string public_url;  // where SDKs reach us, when it is not where they asked
    std::size_t connections_max = 10'000;
    EdgeConfig edge;
    DiskConfig disk;
    PurposeTitles purpose_titles;
    std::string privacy_regime = "gdpr";  // of requests that name none
    OpenDsrConfig opendsr;
    IabConfig iab;
    OutgoingConfig outgoing;
    cdp::AgentTerms agents;
    std::string day;  // UTC, on which the file was last changed; empty: not from a file
};

// Reads and checks. A table that is given replaces the default one whole. Errors name the file, the
// line and the key: `cdp.toml:12: channels.email_tool.labels[1]: Label 'x' is not declared.`
cdp::Result<Config> read_config(const std::string& file);

// The same of a file that need not be named: the defaults without one.
cdp::Result<Config> given_config(const std::string& file);

// The same on text; `name` stands for the file in errors.
cdp::Result<Config> parse_config(std::string_view text, const std::string& name);

}  // namespace api
