#include "api/decision_request.h"
#include "api/handlers.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "cdp/consent_history.h"

namespace api {
namespace {

// What was asked alone is pointed at as it was sent.
cdp::Error as_sent(cdp::Error error, bool several) {
    constexpr std::string_view kFirst = "/questions/0";
    if (!several && error.pointer.starts_with(kFirst)) error.pointer.erase(0, kFirst.size());
    return error;
}

cdp::Result<Subject> asked_about(const Request& request) {
    const auto text = query_value(request.head->query, "subject");
    if (!text || text->empty())
        return invalid("subject_required", "Say about whom, like subject=email:a@shop.example.",
                       "/subject");
    const auto colon = text->find(':');
    if (colon == text->npos || colon == 0 || colon + 1 == text->size())
        return invalid("malformed_identifier", "A subject is type:value.", "/subject");
    return Subject{text->substr(0, colon), text->substr(colon + 1)};
}

}  // namespace

Response read_consents_of(const Services& services, const Request& request) {
    const auto subject = subject_of(request.parameter);
    if (!subject) return problem(subject.error());
    const auto page = page_of(request);
    if (!page) return problem(page.error());
    return document(
        services.platform.consents_of(reader_of(request), {subject->type, subject->value}, *page));
}

Response read_beliefs(const Services& services, const Request& request) {
    const auto subject = asked_about(request);
    if (!subject) return problem(subject.error());
    const auto as_of = time_in(request, "as_of");
    if (!as_of) return problem(as_of.error());
    if (!*as_of)
        return problem(invalid("as_of_required", "Say as of when, an RFC 3339 time.", "/as_of"));
    const auto known_at = time_in(request, "known_at");
    if (!known_at) return problem(known_at.error());
    const auto& query = request.head->query;
    return document(services.platform.beliefs(
        reader_of(request), {.subject = {subject->type, subject->value},
                             .as_of = **as_of,
                             .known_at = *known_at,
                             .purpose = query_value(query, "purpose").value_or(""),
                             .channel = query_value(query, "channel").value_or("")}));
}

void decide(const Services& services, const Request& request, Answer answer) {
    auto questions = read_questions(request.body);
    if (!questions) return answer(problem(questions.error()));
    services.aside([&platform = services.platform, reader = reader_of(request),
                    questions = std::move(*questions), answer = std::move(answer)] {
        auto decided = platform.decide(reader, questions.all);
        if (!decided) return answer(problem(as_sent(decided.error(), questions.several)));
        Response response;
        response.headers = kPrivate;
        response.shared = *std::move(decided);
        answer(std::move(response));
    });
}

}  // namespace api
