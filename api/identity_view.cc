#include "api/handlers.h"
#include "api/parameters.h"
#include "api/problem.h"

// Who is who and why, for those who run the platform: nothing here has passed the gate.
namespace api {
namespace {

cdp::NamedIdentifier named(const Subject& subject) {
    return {subject.type, subject.value};
}

}  // namespace

Response explain(const Services& services, const Request& request) {
    const auto a = subject_in(request, "a");
    if (!a) return problem(a.error());
    const auto b = subject_in(request, "b");
    if (!b) return problem(b.error());
    return document(services.platform.explain(reader_of(request), named(*a), named(*b)));
}

Response read_identity(const Services& services, const Request& request) {
    const auto subject = subject_of(request.parameter);
    if (!subject) return problem(subject.error());
    const auto as_of = time_in(request, "as_of");
    if (!as_of) return problem(as_of.error());
    return document(services.platform.identity_of(reader_of(request), named(*subject), *as_of));
}

}  // namespace api
