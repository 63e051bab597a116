#include "api/problem.h"

#include <vector>

#include <catch2/catch.hpp>

#include "cdp/base/log.h"

// What refusals say in the log.

TEST_CASE("a refusal that asks to come again in a moment is no error in the log") {
    using cdp::log::Level;
    std::vector<Level> levels;
    cdp::log::set_sink([&](Level level, const char*, auto) { levels.push_back(level); });
    const auto tell = [](const char* reason) {
        return api::problem(
            {.code = cdp::ErrorCode::unavailable, .reason = reason, .message = "Wait."});
    };
    for (const auto* reason : {"erasure_under_way", "busy", "contended"})
        CHECK(tell(reason).status == 503);
    CHECK(levels == std::vector{Level::info, Level::info, Level::info});
    CHECK(tell("disclosure_unrecorded").status == 503);
    CHECK(levels.back() == Level::error);
    cdp::log::set_sink(nullptr);
}
