#pragma once

#include <optional>
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

// Where the header Idempotency-Key is pointed at.
inline constexpr const char* kIdempotencyPointer = "/Idempotency-Key";

cdp::Error invalid(std::string reason, std::string message, std::string pointer = {});

struct Subject {
    std::string type;
    std::string value;
};

// Of one parameter; whatever is asked for is shorter.
inline constexpr std::size_t kParameterBytesMax = 1024;

// type:value, as email:a@shop.example; malformed_identifier. Whether it can be one is the
// platform's to say.
cdp::Result<Subject> read_subject(std::string_view name, std::string_view text);
// The `{identifier}` of a path.
cdp::Result<Subject> subject_of(std::string_view parameter);
// A parameter of a query.
cdp::Result<Subject> subject_in(const Request& request, std::string_view name);

// Who speaks: a key, or a user of the machine at the admin socket.
std::string author_of(const Request& request);

struct Route;

// Refuses what the route does not know and what comes twice: a parameter that is ignored was meant
// to ask for something else. unknown_parameter, repeated_parameter; malformed_reason. The errors of
// parameters have their name as pointer, `/limit`.
cdp::Result<void> check_parameters(const Route& route, std::string_view query);

// A time with its offset. A day alone is refused (malformed_time), because it says no moment.
// `name` is the parameter's.
cdp::Result<cdp::Timestamp> read_moment(std::string_view name, std::string_view text);
// The same of a request; nullopt: there is no such parameter.
cdp::Result<std::optional<cdp::Timestamp>> time_in(const Request& request, std::string_view name);

// Who looks, by which route and, if the query says, for which `reason`.
cdp::Reader reader_of(const Request& request);

// What a body says that says only why: {"reason":"…"}.
cdp::Result<std::string> reason_of(const Request& request);

// 1 to 1000; malformed_limit.
cdp::Result<std::size_t> read_limit(std::string_view text);
// `limit` and `cursor`. What a cursor may be is the list's to say.
cdp::Result<cdp::PageQuery> page_of(const Request& request);

}  // namespace api
