#pragma once

#include <string>
#include <vector>

#include "api/message.h"
#include "cdp/consent_request.h"

namespace api {

struct PostedConsents {
    std::vector<cdp::ConsentRequest> all = {};
    bool several = false;  // posted as a list, also when it holds one
};

// What was posted to /v1/consents: one answer, or several as `consents`. Only the form is judged:
// what the words mean, cdp::ConsentCheck says.
cdp::Result<PostedConsents> read_consents(const Request& request);

}  // namespace api
