#pragma once

#include <string>
#include <vector>

#include "cdp/config.h"
#include "cdp/privacy_request_rows.h"
#include "identity/graph.h"
#include "storage/vault.h"

// From what was asked to what is taken down, as far as that can be told without reading anything.
namespace cdp {

struct CheckedPrivacyRequest {
    PrivacyRow row = {};  // before its first step
    std::vector<NamedToken> named = {};
};

struct PrivacyCheckNeeds {
    const storage::Vault& vault;
    const identity::Graph& graph;
    const Config& config;
    const std::string& default_regime;
};

// Errors as PrivacyRequests::submit has them.
Result<CheckedPrivacyRequest> check_privacy_request(const PrivacyCheckNeeds& with,
                                                    const std::string& sender,
                                                    const NewPrivacyRequest& request,
                                                    Timestamp now);

}  // namespace cdp
