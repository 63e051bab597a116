#include "api/verify_verb.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "api/command_line.h"
#include "api/json.h"
#include "api/pace.h"
#include "api/reach.h"
#include "cdp/scrub.h"

namespace api {
namespace {

using nlohmann::json;

unsigned long long number(const json& document, const char* name) {
    return document.value(name, std::uint64_t{0});
}

void tell(const std::string& stage, unsigned long long done) {
    std::fprintf(stderr, "cdp: %s, %llu\n", stage.c_str(), done);
}

cdp::Result<json> verify(const OpenFolder& folder) {
    Pace pace;
    return parse_json(render(CDP_TRY(
        cdp::scrub(*folder.store, *folder.vault, [&](std::string_view stage, std::uint64_t done) {
            if (pace.due()) tell(std::string(stage), done);
            return true;
        }))));
}

cdp::Result<json> verify(AdminClient& server) {
    Pace pace;
    return server.ask_with_progress({.target = "/v1/verify"}, [&](const json& told) {
        if (pace.due()) tell(told.value("stage", ""), number(told, "done"));
    });
}

std::string what_is_wrong(const json& outcome) {
    const auto said = [](const json& error) {
        return error.value("message", "") + " " + error.value("at", "");
    };
    if (!outcome["files"].is_null()) return said(outcome["files"]);
    for (const auto& row : outcome["rows"])
        if (row["unreadable"] != 0)
            return "sealed " + row.value("name", "") + " cannot be opened, first " +
                   row.value("first", "");
    if (!outcome["unread"].is_null()) return said(outcome["unread"]);
    return "the ledger: " + outcome["ledger"]["fault"].value("why", "");
}

void print(const json& outcome) {
    std::printf("%-14s  %12s  %10s\n", "SEALED", "ROWS", "UNREADABLE");
    for (const auto& row : outcome["rows"])
        std::printf("%-14s  %12llu  %10llu\n", row.value("name", "").c_str(), number(row, "rows"),
                    number(row, "unreadable"));
    std::printf("%llu entries in the ledger\n", number(outcome["ledger"], "entries"));
    std::printf("%s\n",
                outcome["whole"] == true ? "everything fits" : what_is_wrong(outcome).c_str());
}

}  // namespace

int verify_data(const std::string& data, bool json_wanted) {
    auto reached = reach(data);
    if (!reached) return fail(reached.error());
    const auto outcome = std::visit([](auto& one) { return verify(one); }, *reached);
    if (!outcome) return fail(outcome.error());
    if (json_wanted)
        std::printf("%s\n", outcome->dump().c_str());
    else
        print(*outcome);
    const auto code = finish_output();
    return (*outcome)["whole"] == true ? code : int{kStoreBroken};
}

}  // namespace api
