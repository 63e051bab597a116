#include "cdp/retention.h"

#include <catch2/catch.hpp>

namespace {

using What = cdp::RetentionRule::What;

cdp::Timestamp at(std::string_view time) {
    return *cdp::parse_time(time);
}

cdp::Config config_with(cdp::RetentionRules rules) {
    cdp::Config config;
    config.retention = std::move(rules);
    return config;
}

std::string day_after(std::string_view time, cdp::Keep keep) {
    return cdp::format_time(after(at(time), keep)).substr(0, 16);
}

}  // namespace

TEST_CASE("months are those of the calendar, days have 24 hours") {
    CHECK(day_after("2025-01-15T10:30:00Z", {1, 0}) == "2025-02-15T10:30");
    CHECK(day_after("2025-01-31T10:30:00Z", {1, 0}) == "2025-02-28T10:30");
    CHECK(day_after("2024-01-31T10:30:00Z", {1, 0}) == "2024-02-29T10:30");
    CHECK(day_after("2024-02-29T10:30:00Z", {12, 0}) == "2025-02-28T10:30");
    CHECK(day_after("2025-12-31T23:59:00Z", {13, 0}) == "2027-01-31T23:59");
    CHECK(day_after("2025-01-31T10:30:00Z", {0, 90}) == "2025-05-01T10:30");
    CHECK(cdp::after(at("9990-01-01"), {1200, 0}) == cdp::Timestamp::max());
}

TEST_CASE("nothing that has passed is later than the latest that may have") {
    for (auto day = at("2023-12-20"); day < at("2025-04-10"); day += std::chrono::hours(11)) {
        for (const cdp::Keep keep : {cdp::Keep{1, 0}, {3, 0}, {12, 0}, {13, 0}, {0, 1}, {0, 45}}) {
            const auto expires = after(day, keep);
            if (day > cdp::latest_past(expires, keep)) {
                CAPTURE(cdp::format_time(day), to_string(keep));
                FAIL("it would be missed");
            }
        }
    }
}

TEST_CASE("a time to keep is a number and its unit") {
    CHECK(cdp::parse_keep("13 months") == cdp::Keep{13, 0});
    CHECK(cdp::parse_keep("1 day") == cdp::Keep{0, 1});
    CHECK(cdp::parse_keep("2 years") == cdp::Keep{24, 0});
    CHECK(to_string(cdp::Keep{1, 0}) == "1 month");
    CHECK(to_string(cdp::Keep{0, 90}) == "90 days");
    for (const auto* wrong : {"", "13", "months", "0 days", "-3 days", "13  months", "13 weeks",
                              "101 years", "90 days ", "99999999999 days"}) {
        CAPTURE(wrong);
        CHECK_FALSE(cdp::parse_keep(wrong));
    }
}

TEST_CASE("without rules nothing expires") {
    CHECK_FALSE(cdp::event_expiry({}, cdp::EventType::page, "Home", at("1990-01-01")));
    CHECK_FALSE(cdp::trait_expiry({}, "city", at("1990-01-01")));
}

TEST_CASE("of rules that speak of one datum the narrower holds, then the shorter") {
    const auto config = config_with({{What::type, "track", {0, 10}, ""},
                                     {What::label, "commerce", {0, 20}, ""},
                                     {What::event, "Order*", {0, 30}, ""},
                                     {What::event, "Order Re*", {0, 40}, ""},
                                     {What::event, "Order Completed", {0, 50}, ""},
                                     {What::trait, "ltv", {0, 60}, ""}});
    const auto time = at("2025-01-01");
    const auto kept = [&](const char* name) {
        const auto expiry = event_expiry(config, cdp::EventType::track, name, time);
        return expiry ? (expiry->at - time) / std::chrono::days{1} : -1;
    };
    CHECK(kept("Signed Up") == 10);
    CHECK(kept("Product Viewed") == 20);
    CHECK(kept("Order Updated") == 30);
    CHECK(kept("Order Refunded") == 40);
    CHECK(kept("Order Completed") == 50);
    // Pages and screens have titles, which are no names of events.
    CHECK_FALSE(event_expiry(config, cdp::EventType::page, "Home", time));
    CHECK_FALSE(event_expiry(config, cdp::EventType::page, "Order Completed", time));
    CHECK_FALSE(event_expiry(config, cdp::EventType::screen, "Order history", time));
    CHECK(trait_expiry(config, "ltv", time)->at == time + std::chrono::days{60});
    CHECK(trait_expiry(config, "plan", time)->at == time + std::chrono::days{20});
    CHECK_FALSE(trait_expiry(config, "age", time));
    CHECK(property_expiry(config, "revenue", time)->rule == 1);
    CHECK_FALSE(property_expiry(config, "url", time));
}

TEST_CASE("what was collected for several purposes is kept as long as the longest needs it") {
    auto config = config_with(
        {{What::trait, "age", {0, 10}, "advertising"}, {What::trait, "age", {0, 30}, "analytics"}});
    const auto time = at("2025-01-01");
    CHECK_FALSE(trait_expiry(config, "age", time));  // email_marketing has no rule
    config.policy.trait_purposes["age"] = {"advertising", "analytics"};
    CHECK(trait_expiry(config, "age", time)->at == time + std::chrono::days{30});
    config.policy.trait_purposes["age"] = {"advertising"};
    CHECK(trait_expiry(config, "age", time)->at == time + std::chrono::days{10});
    // A rule without a purpose is of the others.
    config.policy.trait_purposes.clear();
    config.retention.push_back({What::trait, "age", {0, 20}, ""});
    CHECK(trait_expiry(config, "age", time)->at == time + std::chrono::days{30});
    CHECK(trait_expiry(config, "age", time)->rule == 1);
}
