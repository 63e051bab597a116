#include "api/handlers.h"
#include "api/parameters.h"
#include "api/problem.h"

namespace api {

Response read_changes(const Services& services, const Request& request) {
    const auto page = page_of(request);
    if (!page) return problem(page.error());
    const cdp::ChangesQuery query{.after = query_value(request.head->query, "after").value_or(""),
                                  .limit = page->limit};
    auto body = services.platform.changes(reader_of(request), query);
    if (!body) return problem(body.error());
    Response response;
    response.headers = kPrivate;
    response.body = std::move(*body);
    return response;
}

}  // namespace api
