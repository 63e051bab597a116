#include "api/clock.h"

#include <chrono>

#include "api/handlers.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "consent/json_writer.h"

namespace api {
namespace {

Response no_clock() {
    return problem(503, "no_clock", "What is served here keeps no time of its own.");
}

storage::TrustedTime* time_of(const Services& services) {
    return services.files ? services.files->time() : nullptr;
}

}  // namespace

std::string render_clock(const storage::TrustedTime::Standing& standing) {
    consent::JsonWriter out;
    out.open()
        .text("clock", cdp::format_time(standing.clock))
        .text("trusted", cdp::format_time(standing.trusted))
        .flag("believed", standing.believed)
        .number("ahead_seconds",
                std::chrono::duration_cast<std::chrono::seconds>(standing.ahead()).count());
    return out.close().take();
}

Response show_clock(const Services& services, const Request&) {
    auto* time = time_of(services);
    if (!time) return no_clock();
    return document(render_clock(time->standing()));
}

void accept_clock(const Services& services, const Request& request, Answer answer) {
    auto* time = time_of(services);
    if (!time) return answer(no_clock());
    services.aside(request, [time, answer = std::move(answer)] {
        const auto standing = time->accept();
        answer(document(standing ? cdp::Result<std::string>(render_clock(*standing))
                                 : cdp::Result<std::string>(standing.error())));
    });
}

}  // namespace api
