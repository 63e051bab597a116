#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "api/progress.h"
#include "cdp/privacy.h"
#include "cdp/retentions.h"

namespace api {
namespace {

cdp::Result<bool> dry_run_wanted(std::string_view body) {
    if (body.empty()) return false;
    const auto document = CDP_TRY(parse_json(body));
    CDP_CHECK(check_members(document, "", {"dry_run"}));
    const auto dry = document.find("dry_run");
    if (dry == document.end()) return false;
    if (!dry->is_boolean()) return invalid("wrong_type", "A boolean is expected here.", "/dry_run");
    return dry->get<bool>();
}

cdp::Result<std::string> rendered(const cdp::Result<cdp::RetentionRun>& run) {
    if (!run) return run.error();
    return render(*run);
}

}  // namespace

void read_retention(const Services& services, const Request& request, Answer answer) {
    const auto page = page_of(request);
    if (!page) return answer(problem(page.error()));
    services.aside(request,
                   [&retentions = services.platform.privacy().retentions, page = *page,
                    answer = std::move(answer)] { answer(document(retentions.state(page))); });
}

void run_retention(const Services& services, const Request& request, Answer answer) {
    const auto dry = dry_run_wanted(request.body);
    if (!dry) return answer(problem(dry.error()));
    services.aside(request, [&retentions = services.platform.privacy().retentions, dry = *dry,
                             answer = std::move(answer)]() mutable {
        ProgressAnswer progress(std::move(answer));
        progress.finish(
            rendered(dry ? retentions.dry_run() : retentions.run([&](const cdp::RetentionRun& run) {
                progress.tell([&] { return render(run); });
            })));
    });
}

}  // namespace api
