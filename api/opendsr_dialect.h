#pragma once

#include <string_view>

#include "api/message.h"
#include "api/services.h"

namespace api {

// The protocol's name in headers, as the path has it: X-OpenDSR-, or of an older name.
std::string_view opendsr_prefix(std::string_view path);

// Makes an answer one of OpenDSR: a problem, whoever refused, becomes the protocol's error object,
// and the bytes are signed, in the headers that the path's name asks for.
void speak_opendsr(const Services& services, const Head& head, Response& response);

// The same where no key is asked for: nothing of the question is repeated, so that there are few
// answers, and each is signed once.
void speak_opendsr_to_anybody(const Services& services, const Head& head, Response& response);

}  // namespace api
