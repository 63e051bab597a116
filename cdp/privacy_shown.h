#pragma once

#include <string_view>

#include "cdp/base/result.h"
#include "cdp/privacy_request.h"
#include "consent/json_writer.h"

// Requests as officers are shown them.
namespace cdp {

// The members of a request that name nobody, and of one of its steps without its proof.
void put_privacy_request(consent::JsonWriter& out, const PrivacyRequest& request, Timestamp now);
void put_privacy_step(consent::JsonWriter& out, const PrivacyRequestId& request,
                      const PrivacyStep& step);

// A state's name, `open`, `overdue`, or nothing: status_unknown.
Result<void> check_privacy_status(std::string_view status);
// It is so now; everything is nothing.
bool stands_as(const PrivacyRequest& request, std::string_view status, Timestamp now);

}  // namespace cdp
