#pragma once

#include <string>

#include "cdp/erasures.h"
#include "cdp/privacy.h"
#include "cdp/subject_report.h"
#include "tests/cdp/world.h"

// Reports about persons, as tests ask for them.
namespace tests {

struct Told {
    cdp::Result<void> done = cdp::Result<void>::ok();
    std::string text = {};
    std::size_t largest = 0;  // piece
};

inline Told told(PlatformWorld& world, const std::string& type, const std::string& value,
                 cdp::ReportFormat format, cdp::PurposeWords purposes = {}) {
    Told out;
    out.done = world.platform().privacy().reports.write(
        PlatformWorld::officer("asked by the person"),
        {.type = type, .value = value, .format = format, .purposes = std::move(purposes)},
        [&](std::string_view piece) {
            out.largest = std::max(out.largest, piece.size());
            out.text += piece;
            return true;
        });
    return out;
}

inline nlohmann::json report(PlatformWorld& world, const std::string& type,
                             const std::string& value) {
    const auto out = told(world, type, value, cdp::ReportFormat::json);
    if (!out.done) return {{"error", out.done.error().reason}};
    return nlohmann::json::parse(out.text);
}

inline nlohmann::json dry_run(PlatformWorld& world, const std::string& type,
                              const std::string& value) {
    const auto answer = world.platform().privacy().erasures.erase(
        PlatformWorld::officer(), "officer:kim", {.type = type, .value = value, .dry_run = true});
    if (!answer) return {{"error", answer.error().reason}};
    return nlohmann::json::parse(*answer)["erased"];
}

}  // namespace tests
