#pragma once

#include "api/http_head.h"
#include "api/message.h"
#include "cdp/base/result.h"

#include <string>

// Refusals as RFC 9457 problem details.
namespace api {

int to_status(cdp::ErrorCode code);

// "Not Found"
const char* reason_phrase(int status);

Response problem(int status, std::string_view code, std::string_view message,
                 std::string_view pointer = {});

// 429, and when to come again.
Response too_many(std::string_view code, std::string_view message, std::uint32_t seconds);

// Says how long to wait when waiting helps. Logs the detail, if there is one.
Response problem(const cdp::Error& error);

// The last line of an answer in NDJSON that began well: {"error":PROBLEM}.
std::string error_line(const cdp::Error& error);

// Closes the connection.
Response problem(const Refusal& refusal);

}  // namespace api
