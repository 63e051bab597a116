#include "api/decision_request.h"
#include "api/handlers.h"
#include "api/parameters.h"
#include "api/problem.h"

namespace api {
namespace {

// What was asked alone is pointed at as it was sent.
cdp::Error as_sent(cdp::Error error, bool several) {
    constexpr std::string_view kFirst = "/questions/0";
    if (!several && error.pointer.starts_with(kFirst)) error.pointer.erase(0, kFirst.size());
    return error;
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

void decide(const Services& services, const Request& request, Answer answer) {
    auto questions = read_questions(request.body);
    if (!questions) return answer(problem(questions.error()));
    services.aside(request, [&platform = services.platform, reader = reader_of(request),
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
