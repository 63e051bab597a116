#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "cdp/stewardship.h"
#include "cdp/texts.h"

namespace api {
namespace {

using nlohmann::json;

// The items of a list, each an object of two strings; nothing when it is absent.
template <typename Pair>
cdp::Result<std::vector<Pair>> read_pairs(const json& document, const char* name, const char* first,
                                          const char* second) {
    std::vector<Pair> out;
    const auto list = document.find(name);
    if (list == document.end()) return out;
    const auto at = "/" + std::string(name);
    if (!list->is_array()) return invalid("wrong_type", "A list is expected here.", at);
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto here = at + "/" + std::to_string(i);
        const auto& one = (*list)[i];
        CDP_CHECK(check_members(one, here, {first, second}));
        auto a = CDP_TRY(string_member(one, first, here));
        auto b = CDP_TRY(string_member(one, second, here));
        out.push_back({std::move(a), std::move(b)});
    }
    return out;
}

cdp::Result<cdp::AssertionRequest> read_request(const Request& request) {
    const auto document = CDP_TRY(parse_json(request.body));
    CDP_CHECK(check_members(document, "",
                            {"kind", "identifiers", "source", "from", "to", "events", "reason"}));
    cdp::AssertionRequest out;
    out.kind = CDP_TRY(string_member(document, "kind", ""));
    out.identifiers = CDP_TRY(
        read_pairs<cdp::AssertionRequest::Subject>(document, "identifiers", "type", "value"));
    out.source = CDP_TRY(string_member(document, "source", ""));
    out.from = CDP_TRY(string_member(document, "from", ""));
    out.to = CDP_TRY(string_member(document, "to", ""));
    out.events = CDP_TRY(
        read_pairs<cdp::AssertionRequest::Event>(document, "events", "source", "message_id"));
    out.reason = CDP_TRY(string_member(document, "reason", ""));
    out.author = author_of(request);
    out.idempotency_key = request.head->idempotency_key;
    CDP_CHECK(cdp::check_idempotency_key(out.idempotency_key, kIdempotencyPointer));
    return out;
}

}  // namespace

void add_assertion(const Services& services, const Request& request, Answer answer) {
    auto wanted = read_request(request);
    if (!wanted) return answer(problem(wanted.error()));
    auto place = services.platform.stewardship().line_up();
    if (!place) return answer(problem(place.error()));
    services.aside(request,
                   [&stewardship = services.platform.stewardship(), wanted = std::move(*wanted),
                    place = std::move(*place), answer = std::move(answer)] {
                       auto said = stewardship.say(wanted);
                       if (!said) return answer(problem(said.error()));
                       auto response = document(std::move(said->json));
                       if (said->made) response.status = 201;
                       answer(std::move(response));
                   });
}

void revoke_assertion(const Services& services, const Request& request, Answer answer) {
    auto reason = reason_of(request);
    if (!reason) return answer(problem(reason.error()));
    auto place = services.platform.stewardship().line_up();
    if (!place) return answer(problem(place.error()));
    services.aside(request,
                   [&stewardship = services.platform.stewardship(), place = std::move(*place),
                    id = std::string(request.parameter), author = author_of(request),
                    reason = std::move(*reason), answer = std::move(answer)] {
                       answer(document(stewardship.revoke(id, author, reason)));
                   });
}

Response list_assertions(const Services& services, const Request& request) {
    auto page = page_of(request);
    if (!page) return problem(page.error());
    const auto& query = request.head->query;
    return document(services.platform.assertions(
        reader_of(request), {.page = std::move(*page),
                             .kind = query_value(query, "kind").value_or(""),
                             .status = query_value(query, "status").value_or("")}));
}

Response read_assertion(const Services& services, const Request& request) {
    return document(services.platform.assertion(reader_of(request), request.parameter));
}

}  // namespace api
