#include "cdp/quarantines.h"

#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json.h"
#include "api/parameters.h"
#include "api/problem.h"

namespace api {

Response list_quarantines(const Services& services, const Request& request) {
    const auto page = page_of(request);
    if (!page) return problem(page.error());
    return document(services.platform.quarantines().page(
        *page, query_value(request.head->query, "status").value_or("")));
}

void release_quarantine(const Services& services, const Request& request, Answer answer) {
    auto reason = reason_of(request);
    if (!reason) return answer(problem(reason.error()));
    services.aside(request, [&quarantines = services.platform.quarantines(),
                             id = std::string(request.parameter), author = author_of(request),
                             reason = std::move(*reason), answer = std::move(answer)] {
        answer(document(quarantines.release(id, author, reason)));
    });
}

}  // namespace api
