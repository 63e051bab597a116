#include "api/retention_verbs.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "api/command_line.h"
#include "api/config.h"
#include "api/json.h"
#include "api/pace.h"
#include "api/reach.h"
#include "cdp/interrupted.h"
#include "cdp/platform.h"
#include "cdp/privacy.h"
#include "cdp/retentions.h"

namespace api {
namespace {

using cdp::Result;
using nlohmann::json;

// Asks the retention of a folder that nobody serves.
template <typename Ask>
Result<json> ask_folder(const OpenFolder& folder, const RetentionCommand& command, Ask ask) {
    auto config = CDP_TRY(given_config(command.config));
    const cdp::SystemClock clock;
    cdp::Platform platform(*folder.store, *folder.vault, clock, std::move(config.platform),
                           CDP_TRY(folder.journal()));
    CDP_CHECK(cdp::finish_interrupted(platform));
    platform.publish_ledger();
    return parse_json(CDP_TRY(ask(platform.privacy().retentions)));
}

Result<json> shown(const OpenFolder& folder, const RetentionCommand& command) {
    return ask_folder(folder, command, [](const cdp::Retentions& retentions) {
        return retentions.state({.limit = 10});
    });
}

Result<json> shown(AdminClient& server, const RetentionCommand&) {
    return parse_json(CDP_TRY(server.ask_whole({.target = "/v1/privacy/retention?limit=10"})));
}

class Progress {
public:
    void tell(const json& run) {
        if (!pace_.due()) return;
        std::uint64_t rows = 0;
        for (const auto& rule : run["rules"])
            for (const auto& count : rule["pruned"]) rows += count.get<std::uint64_t>();
        std::fprintf(stderr, "cdp: %llu pruned\n", static_cast<unsigned long long>(rows));
    }

private:
    Pace pace_;
};

Result<json> run(const OpenFolder& folder, const RetentionCommand& command) {
    return ask_folder(
        folder, command, [&](const cdp::Retentions& retentions) -> Result<std::string> {
            return render(CDP_TRY(command.dry_run ? retentions.dry_run() : retentions.run()));
        });
}

Result<json> run(AdminClient& server, const RetentionCommand& command) {
    Progress progress;
    const json body{{"dry_run", command.dry_run}};
    return server.ask_with_progress(
        {.method = "POST", .target = "/v1/privacy/retention/runs", .body = body.dump()},
        [&](const json& told) { progress.tell(told); });
}

void print_counts(const json& rules, const char* name) {
    for (const auto& rule : rules) {
        for (const char* what : {"event", "type", "label", "trait"})
            if (rule.contains(what))
                std::printf("%-5s %-24s ", what, rule[what].get<std::string>().c_str());
        const auto& counts = rule[name];
        std::printf("%-10s %10llu events %10llu properties %10llu traits\n",
                    rule.value("keep", "").c_str(),
                    static_cast<unsigned long long>(counts.value("events", std::uint64_t{0})),
                    static_cast<unsigned long long>(counts.value("properties", std::uint64_t{0})),
                    static_cast<unsigned long long>(counts.value("traits", std::uint64_t{0})));
    }
}

void print_state(const json& state) {
    if (state["rules"].empty()) std::printf("no rules: everything is kept until it is erased\n");
    const char* about = state.value("estimated", false) ? " (estimated)" : "";
    std::printf("due now%s:\n", about);
    print_counts(state["rules"], "due");
    std::printf("due within 30 days%s:\n", about);
    print_counts(state["rules"], "due_within_30_days");
    if (state["next_run"].is_string())
        std::printf("next run: %s\n", state["next_run"].get<std::string>().c_str());
    for (const auto& one : state["runs"])
        std::printf("run of %s: %s\n", one.value("begun", "").c_str(),
                    one.value("state", "").c_str());
}

template <typename Print>
int print(const Result<json>& answer, bool json_wanted, Print print_it) {
    if (!answer) return fail(answer.error());
    if (json_wanted)
        std::printf("%s\n", answer->dump().c_str());
    else
        print_it(*answer);
    return finish_output();
}

}  // namespace

int show_retention(const RetentionCommand& command) {
    auto reached = reach(command.data);
    if (!reached) return fail(reached.error());
    const auto answer = std::visit([&](auto& one) { return shown(one, command); }, *reached);
    return print(answer, command.json, print_state);
}

int run_retention(const RetentionCommand& command) {
    auto reached = reach(command.data);
    if (!reached) return fail(reached.error());
    const auto answer = std::visit([&](auto& one) { return run(one, command); }, *reached);
    return print(answer, command.json, [&](const json& done) {
        std::printf("%s\n", command.dry_run ? "would go:" : "gone:");
        print_counts(done["rules"], "pruned");
        for (const char* left : {"unreadable", "contended"})
            if (const auto n = done.value(left, std::uint64_t{0}); n > 0)
                std::printf("%-10s %llu\n", left, static_cast<unsigned long long>(n));
    });
}

}  // namespace api
