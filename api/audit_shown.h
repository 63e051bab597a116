#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cdp/base/result.h"
#include "consent/audit_proof.h"

namespace api {

// Whether an object shows what was proved beside it. Error invalid_argument (field_differs), the
// pointer being the member, from the object on.
cdp::Result<void> check_shown(const nlohmann::json& shown, const consent::Proven& proven);

}  // namespace api
