#include "api/rectifications.h"

#include <nlohmann/json.hpp>

#include "api/json.h"
#include "api/json_members.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "cdp/privacy.h"
#include "cdp/rectifications.h"

namespace api {
namespace {

cdp::Result<cdp::RectificationRequest> read_request(std::string_view body) {
    const auto document = CDP_TRY(parse_json(body));
    CDP_CHECK(check_members(document, "", {"identifier", "traits", "reason"}));
    auto named = CDP_TRY(identifier_member(document));
    cdp::RectificationRequest out{.type = std::move(named.type), .value = std::move(named.value)};
    out.traits = CDP_TRY(traits_member(document));
    out.reason = CDP_TRY(string_member(document, "reason", ""));
    return out;
}

}  // namespace

void rectify(const Services& services, const Request& request, Answer answer) {
    auto wanted = read_request(request.body);
    if (!wanted) return answer(problem(wanted.error()));
    services.aside(request, [&rectifications = services.platform.privacy().rectifications,
                             wanted = std::move(*wanted), reader = reader_of(request),
                             author = author_of(request), answer = std::move(answer)] {
        answer(document(rectifications.rectify(reader, author, wanted)));
    });
}

Response list_rectifications(const Services& services, const Request& request) {
    const auto page = page_of(request);
    if (!page) return problem(page.error());
    return document(services.platform.privacy().rectifications.page(*page));
}

Response read_rectification(const Services& services, const Request& request) {
    return document(
        services.platform.privacy().rectifications.read(percent_decode(request.parameter)));
}

}  // namespace api
