#include "api/parameters.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/json.h"
#include "api/problem.h"
#include "api/routes.h"
#include "cdp/texts.h"

namespace api {
namespace {

// Of a name that is told back.
constexpr std::size_t kNameShownMax = 64;

// RFC 6901.
std::string pointer_to(std::string_view name) {
    std::string out = "/";
    for (const char c : name.substr(0, kNameShownMax)) {
        if (c == '~')
            out += "~0";
        else if (c == '/')
            out += "~1";
        else
            out += c;
    }
    return out;
}

}  // namespace

const char* const kPrivate = "Cache-Control: no-store\r\n";

Response document(cdp::Result<std::string> body) {
    if (!body) return problem(body.error());
    Response response;
    response.headers = kPrivate;
    response.body = std::move(*body) + "\n";
    return response;
}

cdp::Error invalid(std::string reason, std::string message, std::string pointer) {
    return {cdp::ErrorCode::invalid_argument,
            std::move(reason),
            std::move(message),
            std::move(pointer),
            {}};
}

cdp::Result<Subject> read_subject(std::string_view name, std::string_view text) {
    const auto colon = text.find(':');
    if (colon == text.npos || colon == 0 || colon + 1 == text.size() ||
        text.size() > kParameterBytesMax)
        return invalid("malformed_identifier",
                       "An identifier is written type:value, like email:a@shop.example.",
                       pointer_to(name));
    return Subject{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

cdp::Result<Subject> subject_of(std::string_view parameter) {
    return read_subject("identifier", percent_decode(parameter));
}

cdp::Result<Subject> subject_in(const Request& request, std::string_view name) {
    return read_subject(name, query_value(request.head->query, name).value_or(""));
}

cdp::Result<void> check_parameters(const Route& route, std::string_view query) {
    if (route.any_parameter || query.empty()) return cdp::Result<void>::ok();
    const auto names = query_names(query);
    for (auto name = names.begin(); name != names.end(); ++name) {
        if (std::ranges::find(route.parameters, *name) == route.parameters.end())
            return invalid(
                "unknown_parameter",
                "There is no query parameter `" + name->substr(0, kNameShownMax) + "` here.",
                pointer_to(*name));
        if (std::find(names.begin(), name, *name) != name)
            return invalid("repeated_parameter",
                           "The query parameter `" + *name + "` is given more than once.",
                           pointer_to(*name));
    }
    return cdp::check_reason(query_value(query, "reason").value_or(""));
}

cdp::Result<cdp::Timestamp> read_moment(std::string_view name, std::string_view text) {
    const auto time = cdp::parse_time(text);
    if (!time || text.find_first_of("Tt") == text.npos)
        return invalid("malformed_time",
                       "An RFC 3339 date-time with its offset is expected here, such as "
                       "2026-11-23T00:00:00Z; in a query a plus sign is written %2B.",
                       pointer_to(name));
    return *time;
}

cdp::Result<std::optional<cdp::Timestamp>> time_in(const Request& request, std::string_view name) {
    const auto text = query_value(request.head->query, name);
    if (!text) return std::optional<cdp::Timestamp>{};
    return std::optional(CDP_TRY(read_moment(name, *text)));
}

std::string author_of(const Request& request) {
    if (request.uid >= 0) return "uid:" + std::to_string(request.uid);
    return std::string(to_string(request.caller.role)) + ":" + request.caller.name;
}

cdp::Reader reader_of(const Request& request) {
    return {.who = request.caller,
            .uid = request.uid,
            .route = std::string(to_string(request.route->method)) + " " +
                     std::string(request.route->path),
            .reason = query_value(request.head->query, "reason").value_or("")};
}

cdp::Result<std::string> reason_of(const Request& request) {
    const auto body = CDP_TRY(parse_json(request.body));
    CDP_CHECK(check_members(body, "", {"reason"}));
    return string_member(body, "reason", "");
}

cdp::Result<std::size_t> read_limit(std::string_view text) {
    std::size_t limit = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc() || end != text.data() + text.size() || limit < 1 || limit > 1000)
        return invalid("malformed_limit", "The limit is a number from 1 to 1000.", "/limit");
    return limit;
}

cdp::Result<cdp::PageQuery> page_of(const Request& request) {
    cdp::PageQuery page;
    page.cursor = query_value(request.head->query, "cursor").value_or("");
    if (const auto text = query_value(request.head->query, "limit"))
        page.limit = CDP_TRY(read_limit(*text));
    return page;
}

}  // namespace api
