#pragma once

#include <vector>

#include "api/opendsr_request.h"
#include "cdp/hash_search.h"
#include "cdp/privacy_request.h"

namespace api {

// Whom the identities of a request name: those sent as they are, and who is
// held under the hashes. A hash that is nobody's becomes an identifier that
// stands for whoever may come to be known by it: an erasure keeps them out.
// Errors of HashSearch.
cdp::Result<std::vector<cdp::RequestedIdentifier>> identifiers_of(
    const std::vector<OpenDsrIdentity>& identities, const cdp::HashSearch& hashes);

}  // namespace api
