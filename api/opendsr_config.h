#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace api {

// The protocol's types of identity, and which of ours they are.
using IdentityTypes = std::map<std::string, std::string, std::less<>>;

IdentityTypes default_identity_types();

// How OpenDSR is spoken; docs/cdp.example.toml says it to operators.
struct OpenDsrConfig {
    std::string domain;       // empty: the host of the public URL, or localhost
    std::string certificate;  // a PEM file; both or none
    std::string key;          // a PEM file
    std::chrono::seconds cancel_window{10};
    IdentityTypes identity_types = default_identity_types();
    // By the name of a controller's key: where callbacks may go.
    std::map<std::string, std::vector<std::string>, std::less<>> callback_hosts = {};
};

}  // namespace api
