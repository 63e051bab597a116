#include "api/handlers.h"
#include "api/parameters.h"
#include "api/problem.h"

// Groups, for those who run the platform: nothing here has passed the gate.
namespace api {
Response read_group(const Services& services, const Request& request) {
    const auto page = page_of(request);
    if (!page) return problem(page.error());
    return document(
        services.platform.group(reader_of(request), percent_decode(request.parameter), *page));
}

Response read_groups_of_person(const Services& services, const Request& request) {
    const auto subject = subject_of(request.parameter);
    if (!subject) return problem(subject.error());
    const auto page = page_of(request);
    if (!page) return problem(page.error());
    return document(
        services.platform.groups_of(reader_of(request), {subject->type, subject->value}, *page));
}

}  // namespace api
