#include "cdp/backups.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "api/handlers.h"
#include "api/json.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "api/progress.h"
#include "cdp/scrub.h"

namespace api {

// It writes files where it is told, so only who is on the machine may ask.
void create_backup(const Services& services, const Request& request, Answer answer) {
    if (!services.backups)
        return answer(problem(503, "no_files", "What is served here does not lie in files."));
    if (request.uid < 0)
        return answer(problem(403, "local_only", "A backup is made on the machine of the server."));
    const auto wanted = parse_json(request.body);
    if (!wanted) return answer(problem(wanted.error()));
    if (const auto known = check_members(*wanted, "", {"to"}); !known)
        return answer(problem(known.error()));
    const auto to = string_member(*wanted, "to", "");
    if (!to) return answer(problem(to.error()));
    services.aside(request, [&backups = *services.backups, draining = services.draining, to = *to,
                             answer = std::move(answer)]() mutable {
        ProgressAnswer progress(std::move(answer));
        const auto made =
            backups.create(to, [&](std::string_view stage, std::uint64_t bytes, std::uint64_t of) {
                progress.tell([&] {
                    return R"({"stage":")" + std::string(stage) + R"(","bytes":)" +
                           std::to_string(bytes) + R"(,"of":)" + std::to_string(of) + "}";
                });
                return !draining || !*draining;
            });
        progress.finish(made ? cdp::Result<std::string>(render(*made)) : made.error());
    });
}

void verify_data(const Services& services, const Request& request, Answer answer) {
    if (!services.backups)
        return answer(problem(503, "no_files", "What is served here does not lie in files."));
    services.aside(request, [&backups = *services.backups, draining = services.draining,
                             answer = std::move(answer)]() mutable {
        ProgressAnswer progress(std::move(answer));
        const auto scrubbed = cdp::scrub(backups.store(), backups.vault(),
                                         [&](std::string_view stage, std::uint64_t done) {
                                             progress.tell([&] {
                                                 return R"({"stage":")" + std::string(stage) +
                                                        R"(","done":)" + std::to_string(done) + "}";
                                             });
                                             return !draining || !*draining;
                                         });
        progress.finish(scrubbed ? cdp::Result<std::string>(render(*scrubbed)) : scrubbed.error());
    });
}

}  // namespace api
