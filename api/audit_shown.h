#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cdp/base/result.h"
#include "consent/audit_proof.h"

namespace api {

// Where in the answer an object is shown.
enum class Shape { batch, other };  // a member of `batches`, or anything else

// Whether an object shows what was proved beside it. An object with `erasure` is an erasure, one
// with `row` or `decision` a row, one with `kind` a record or stamp; anything else but a batch
// shows nothing that can be proved. Error invalid_argument (field_differs), the pointer being the
// member, from the object on.
cdp::Result<void> check_shown(const nlohmann::json& shown, const consent::Proven& proven,
                              Shape shape);

}  // namespace api
