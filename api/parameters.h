#pragma once

#include <string>
#include <string_view>

#include "api/message.h"
#include "cdp/base/result.h"
#include "cdp/platform.h"

// What the paths and queries of reads say.
namespace api {

// "Cache-Control: no-store": personal data is kept by nobody on the way.
extern const char* const kPrivate;

// A private JSON document, or the problem.
Response document(cdp::Result<std::string> body);

cdp::Error invalid(std::string reason, std::string message, std::string pointer = {});

struct Subject {
    std::string type;
    std::string value;
};

// type:value, percent-encoded: email:a%40shop.example
cdp::Result<Subject> subject_of(std::string_view parameter);

// `limit` and `cursor`. What a cursor may be is the list's to say.
cdp::Result<cdp::PageQuery> page_of(const Request& request);

}  // namespace api
