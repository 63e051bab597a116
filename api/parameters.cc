#include "api/parameters.h"

#include <charconv>

#include "api/problem.h"

namespace api {
namespace {

cdp::Result<std::size_t> limit_of(const std::string& text) {
    std::size_t limit = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc() || end != text.data() + text.size() || limit < 1 || limit > 1000)
        return invalid("malformed_limit", "The limit is a number from 1 to 1000.");
    return limit;
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

cdp::Result<Subject> subject_of(std::string_view parameter) {
    const auto text = percent_decode(parameter);
    const auto colon = text.find(':');
    if (colon == text.npos || colon == 0 || colon + 1 == text.size())
        return invalid("malformed_identifier", "An identifier is written type:value.");
    return Subject{text.substr(0, colon), text.substr(colon + 1)};
}

cdp::Result<cdp::PageQuery> page_of(const Request& request) {
    cdp::PageQuery page;
    page.cursor = query_value(request.head->query, "cursor").value_or("");
    if (const auto text = query_value(request.head->query, "limit"))
        page.limit = CDP_TRY(limit_of(*text));
    return page;
}

}  // namespace api
