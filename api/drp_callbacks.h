#pragma once

#include "api/callbacks.h"
#include "api/drp_answer.h"

namespace api {

// What agents of the Data Rights Protocol are told, at the hosts that they are registered with now.
// All that `with` refers to must outlive what is returned.
CallbackProtocol drp_callbacks(const DrpAnswers& with);

}  // namespace api
