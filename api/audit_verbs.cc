#include "api/audit_verbs.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "api/audit.h"
#include "api/command_line.h"
#include "api/config.h"
#include "api/http_head.h"
#include "api/parameters.h"
#include "api/reach.h"
#include "cdp/interrupted.h"
#include "cdp/platform.h"
#include "cdp/texts.h"

namespace api {
namespace {

using cdp::Result;

// What was shown last, and this answer with it, is in the ledger within a second.
constexpr int kTriesMax = 30;
constexpr auto kBetweenTries = std::chrono::milliseconds{100};

// An option's name: `as-of` for `as_of`.
std::string with_dashes(std::string_view name) {
    std::string out(name);
    std::ranges::replace(out, '_', '-');
    return out;
}

Result<cdp::AuditQuery> query_of(const cdp::AuditQuestion& question, const AuditCommand& command) {
    auto query = CDP_TRY(
        read_audit_query(question, [&](std::string_view name) -> std::optional<std::string> {
            const auto given = command.parameters.find(name);
            if (given == command.parameters.end() || given->second.empty()) return std::nullopt;
            return given->second;
        }));
    const bool named = question.path.find('{') != question.path.npos;
    if (named && (command.id.empty() || command.id.size() > kParameterBytesMax))
        return invalid("malformed_id", "An id has 1 to 1024 bytes.", "/id");
    query.id = command.id;
    CDP_CHECK(cdp::check_reason(command.reason));
    return query;
}

// What is noted of who looked is the same whether or not a server runs.
std::string route_of(const cdp::AuditQuestion& question) {
    return "/v1/audit/" + std::string(question.path);
}

std::string target_of(const cdp::AuditQuestion& question, const AuditCommand& command) {
    auto path = route_of(question);
    if (const auto open = path.find('{'); open != path.npos)
        path.replace(open, path.find('}') - open + 1, percent_encode(command.id));
    path += "?reason=" + percent_encode(command.reason);
    for (const auto& [name, value] : command.parameters)
        if (!value.empty()) path += "&" + name + "=" + percent_encode(value);
    return path;
}

Result<std::string> ask(AdminClient& server, const cdp::AuditQuestion& question,
                        const AuditCommand& command) {
    std::string answer;
    CDP_CHECK(server.ask({.target = target_of(question, command)}, [&](std::string_view bytes) {
        answer += bytes;
        return true;
    }));
    return answer;
}

Result<std::string> ask(OpenFolder& folder, const cdp::AuditQuestion& question,
                        const AuditCommand& command) {
    const auto query = CDP_TRY(query_of(question, command));
    auto config = CDP_TRY(given_config(command.config));
    const cdp::SystemClock clock;
    cdp::Platform platform(*folder.store, *folder.vault, clock, std::move(config.platform),
                           CDP_TRY(folder.journal()));
    CDP_CHECK(cdp::finish_interrupted(platform));
    platform.publish_ledger();
    const cdp::Reader reader{.who = {},
                             .uid = static_cast<std::int64_t>(::getuid()),
                             .route = "GET " + route_of(question),
                             .reason = command.reason};
    for (int tries = 1;; ++tries) {
        auto answer = platform.audit(reader, question, query);
        const bool again = !answer && answer.error().reason == "not_published_yet";
        if (answer) return std::move(*answer) + "\n";
        if (!again || tries == kTriesMax) return answer.error();
        std::this_thread::sleep_for(kBetweenTries);
    }
}

int run(const cdp::AuditQuestion& question, const AuditCommand& command) {
    // What is asked wrongly is told without a folder.
    if (const auto query = query_of(question, command); !query) return fail(query.error());
    auto reached = reach(command.data);
    if (!reached) return fail(reached.error());
    const auto answer =
        std::visit([&](auto& one) { return ask(one, question, command); }, *reached);
    if (!answer) return fail(answer.error());
    std::fwrite(answer->data(), 1, answer->size(), stdout);
    return finish_output();
}

}  // namespace

void add_audit_verbs(CLI::App& audit, AuditCommand& command, int& code) {
    for (const auto& question : cdp::audit_questions()) {
        auto* verb = audit.add_subcommand(std::string(question.verb), std::string(question.asks));
        verb->add_option("--data", command.data, "The data folder")->required()->type_name("DIR");
        verb->add_option("--config", command.config,
                         "The configuration that serve runs with, TOML; unused while it runs")
            ->type_name("FILE");
        verb->add_option("--reason", command.reason, "Recorded with who asked")->type_name("TEXT");
        if (question.path.find('{') != question.path.npos)
            verb->add_option("id", command.id, "Of what is asked about")->required();
        for (const auto& name : question.parameters) {
            auto& value = command.parameters[std::string(name)];
            verb->add_option("--" + with_dashes(name), value)->type_name("TEXT");
        }
        verb->callback([&command, &code, &question] { code = run(question, command); });
    }
}

}  // namespace api
