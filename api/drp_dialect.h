#pragma once

#include "api/message.h"
#include "api/services.h"

namespace api {

// Makes a problem, whoever refused, the Data Rights Protocol's error: {"code","message","fatal"}.
// What may succeed when the same is sent again in a while is not fatal.
void speak_drp(const Services& services, const Head& head, Response& response);

}  // namespace api
