#include <cstdio>
#include <nlohmann/json.hpp>

#include "api/clock.h"
#include "api/command_line.h"
#include "api/json.h"
#include "api/reach.h"
#include "storage/database_files.h"

namespace api {
namespace {

using cdp::Result;
using nlohmann::json;

// A data folder has one always.
Result<storage::TrustedTime*> time_of(const OpenFolder& folder) {
    return CDP_TRY(storage::files_of(*folder.store))->time();
}

Result<json> ask(const OpenFolder& folder, bool accept) {
    auto* time = CDP_TRY(time_of(folder));
    return parse_json(render_clock(accept ? CDP_TRY(time->accept()) : time->standing()));
}

Result<json> ask(AdminClient& server, bool accept) {
    if (!accept) return parse_json(CDP_TRY(server.ask_whole({.target = "/v1/clock"})));
    return parse_json(CDP_TRY(server.ask_whole({.method = "POST", .target = "/v1/clock/accept"})));
}

int run(const std::string& data, bool accept, bool json_wanted) {
    auto reached = reach(data);
    if (!reached) return fail(reached.error());
    const auto standing = std::visit([&](auto& one) { return ask(one, accept); }, *reached);
    if (!standing) return fail(standing.error());
    if (json_wanted) {
        std::printf("%s\n", standing->dump().c_str());
        return finish_output();
    }
    const bool believed = standing->value("believed", true);
    std::printf("clock    %s\ntrusted  %s\n%s\n", standing->value("clock", "").c_str(),
                standing->value("trusted", "").c_str(),
                believed ? "the clock is believed"
                         : "the clock is too far ahead to delete by; if it is right, say so: "
                           "cdp clock accept");
    return finish_output();
}

}  // namespace

int show_clock(const std::string& data, bool json_wanted) {
    return run(data, /*accept=*/false, json_wanted);
}

int accept_clock(const std::string& data, bool json_wanted) {
    return run(data, /*accept=*/true, json_wanted);
}

}  // namespace api
