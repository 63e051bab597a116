#include "api/problem.h"

#include <vector>

#include <catch2/catch.hpp>

#include "cdp/base/log.h"

// What refusals say in the log.

TEST_CASE("what is so for every request until it is mended is not said again for each") {
    const auto* const reason =
        GENERATE("disk_low", "disk_full", "storage_failed", "disclosure_unrecorded");
    CAPTURE(reason);
    int lines = 0;
    cdp::log::set_sink([&](auto, const char*, auto) { ++lines; });
    for (int i = 0; i < 1000; ++i)
        (void)api::problem({.code = cdp::ErrorCode::storage_full,
                            .reason = reason,
                            .message = "Full.",
                            .detail = "no space"});
    for (int i = 0; i < 3; ++i)
        (void)api::problem({.code = cdp::ErrorCode::corruption,
                            .reason = "store_damaged",
                            .message = "Damaged.",
                            .detail = "another row each time"});
    cdp::log::set_sink(nullptr);
    CHECK(lines >= 3);
    CHECK(lines <= 5);
}

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
    CHECK(tell("ledger_halted").status == 503);
    CHECK(levels.back() == Level::error);
    cdp::log::set_sink(nullptr);
}
