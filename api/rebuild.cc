#include "api/rebuild.h"

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "api/command_line.h"
#include "api/config.h"
#include "cdp/base/clock.h"
#include "storage/data_dir.h"
#include "storage/scratch.h"
#include "storage/vault.h"

namespace api {
namespace {

// Once a second is enough for who watches.
cdp::RebuildReport report_to_stderr() {
    return [last = std::chrono::steady_clock::now()](std::string_view stage,
                                                     std::uint64_t rows) mutable {
        const auto now = std::chrono::steady_clock::now();
        if (now - last < std::chrono::seconds{1}) return;
        last = now;
        std::fprintf(stderr, "cdp: %llu %.*s\n", static_cast<unsigned long long>(rows),
                     static_cast<int>(stage.size()), stage.data());
    };
}

cdp::Result<storage::OpenedDataDir> take_folder(const std::string& data) {
    auto opened = storage::open_data_dir({.path = data, .keyring_path = {}, .older = true});
    if (!opened && opened.error().reason == "dir_locked")
        return cdp::Error{.code = cdp::ErrorCode::unavailable,
                          .reason = "dir_locked",
                          .message = "The data folder is in use; stop the server, then rebuild."};
    return opened;
}

std::string render(const cdp::Rebuilt& rebuilt) {
    auto folds = nlohmann::json::array();
    for (const auto& fold : rebuilt.found)
        folds.push_back({{"fold", fold.fold},
                         {"rows", fold.rows},
                         {"missing", fold.missing},
                         {"extra", fold.extra},
                         {"different", fold.different}});
    return nlohmann::json{{"events", rebuilt.events},      {"unread", rebuilt.unread},
                          {"consents", rebuilt.consents},  {"folds", std::move(folds)},
                          {"differed", rebuilt.differed},  {"left", rebuilt.left},
                          {"announced", rebuilt.announced}}
               .dump() +
           "\n";
}

void print_table(const cdp::Rebuilt& rebuilt) {
    std::printf("%-18s  %12s  %12s  %12s  %12s\n", "FOLD", "ROWS", "MISSING", "EXTRA", "DIFFERENT");
    for (const auto& fold : rebuilt.found)
        std::printf("%-18.*s  %12llu  %12llu  %12llu  %12llu\n", static_cast<int>(fold.fold.size()),
                    fold.fold.data(), static_cast<unsigned long long>(fold.rows),
                    static_cast<unsigned long long>(fold.missing),
                    static_cast<unsigned long long>(fold.extra),
                    static_cast<unsigned long long>(fold.different));
}

void explain(const cdp::Rebuilt& rebuilt, bool check) {
    if (rebuilt.unread > 0)
        std::fprintf(stderr,
                     "cdp: of %llu events today's rules read %llu otherwise than they were filed; "
                     "these stay where they are and say nothing of who is who\n",
                     static_cast<unsigned long long>(rebuilt.events),
                     static_cast<unsigned long long>(rebuilt.unread));
    if (rebuilt.left > 0)
        std::fprintf(stderr, "cdp: %llu rows are not what the facts give%s\n",
                     static_cast<unsigned long long>(rebuilt.left),
                     check ? "; cdp rebuild mends them" : ", also after mending");
}

}  // namespace

cdp::Result<cdp::Rebuilt> rebuild_folder(const std::string& data, const cdp::Config& config,
                                         bool check) {
    auto opened = CDP_TRY(take_folder(data));
    const storage::Vault vault(opened.keyring);
    const auto scratch = CDP_TRY(storage::ScratchStore::make(data + "/rebuild"));
    const storage::Vault scratch_vault(opened.keyring);
    const cdp::SystemClock clock;
    cdp::Rebuild work({*opened.store, vault, scratch->store(), scratch_vault, config, clock},
                      report_to_stderr());
    if (check) return work.check();
    auto rebuilt = CDP_TRY(work.mend());
    CDP_CHECK(storage::record_format({.path = data, .keyring_path = {}}));
    return rebuilt;
}

int rebuild(const RebuildCommand& command) {
    const auto config = given_config(command.config);
    if (!config) return fail(config.error());
    const auto rebuilt = rebuild_folder(command.data, config->platform, command.check);
    if (!rebuilt) return fail(rebuilt.error());
    if (command.json)
        std::fputs(render(*rebuilt).c_str(), stdout);
    else
        print_table(*rebuilt);
    explain(*rebuilt, command.check);
    const int printed = finish_output();
    return rebuilt->left > 0 ? kFailed : printed;
}

}  // namespace api
