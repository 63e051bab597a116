#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "cdp/base/result.h"
#include "consent/audit_proof.h"

namespace api {

// Where in the answer an object is shown.
enum class Shape { batch, other };  // a member of `batches`, or anything else

// Whether an object shows what was proved beside it. An object with `erasure` is an erasure, one
// with `row` or `decision` a row, one with `kind` a record or stamp; anything else but a batch
// shows nothing that can be proved. What is returned are the members that the proof says nothing
// of, from the object on. Error invalid_argument (field_differs), the pointer being the member.
using Uncovered = std::set<std::string, std::less<>>;
cdp::Result<Uncovered> check_shown(const nlohmann::json& shown, const consent::Proven& proven,
                                   Shape shape);

}  // namespace api
