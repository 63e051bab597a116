#pragma once

#include "api/message.h"
#include "api/services.h"

namespace api {

// What the routes of routes.cc do.
void rectify(const Services& services, const Request& request, Answer answer);
Response list_rectifications(const Services& services, const Request& request);
Response read_rectification(const Services& services, const Request& request);

}  // namespace api
