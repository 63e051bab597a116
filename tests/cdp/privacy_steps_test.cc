#include <catch2/catch.hpp>

#include <set>
#include <string>

#include "cdp/base/calendar.h"
#include "cdp/privacy_regimes.h"
#include "cdp/privacy_steps.h"

using namespace cdp;

namespace {

std::string after_of(const char* from, int days) {
    return format_time(business_days_later(*parse_time(from), days));
}

std::string month_after(const char* from, int months) {
    return format_time(months_later(*parse_time(from), std::chrono::months(months)));
}

PrivacyDeadlines deadlines(std::string_view regime, bool opts_out, const char* received) {
    return deadlines_of(*find_privacy_regime(regime), opts_out, *parse_time(received));
}

std::string answer(std::string_view regime, bool opts_out, const char* received) {
    return format_time(deadlines(regime, opts_out, received).answer_by);
}

}  // namespace

TEST_CASE("every step from every state leads where the decision says, or nowhere") {
    // state: step>state, …; notes are everywhere.
    const std::set<std::string> kAllowed{
        "received ask waiting_for_verification",
        "received verify verified",
        "waiting_for_verification verify verified",
        "waiting_for_verification fulfil fulfilled",
        "waiting_for_verification deny denied",
        "waiting_for_verification cancel cancelled",
        "waiting_for_verification expire expired",
        "waiting_for_verification extend waiting_for_verification",
        "verified begin in_progress",
        "verified fulfil fulfilled",
        "verified deny denied",
        "verified cancel cancelled",
        "verified extend verified",
        "in_progress fulfil fulfilled",
        "in_progress deny denied",
        "in_progress extend in_progress",
        "in_progress block in_progress",
        "in_progress retry in_progress",
        "in_progress verify in_progress",
        "fulfilled lift fulfilled",
    };
    std::set<std::string> found;
    for (int s = 1; s <= static_cast<int>(kPrivacyStateLast); ++s)
        for (int a = 1; a <= static_cast<int>(kPrivacyActLast); ++a) {
            const auto state = static_cast<PrivacyState>(s);
            const auto act = static_cast<PrivacyAct>(a);
            CHECK(parse_privacy_state(to_string(state)) == state);
            CHECK(parse_privacy_act(to_string(act)) == act);
            const auto to = after(state, act);
            if (act == PrivacyAct::note) {
                CHECK(to == state);
                continue;
            }
            if (to)
                found.insert(std::string(to_string(state)) + ' ' + std::string(to_string(act)) +
                             ' ' + std::string(to_string(*to)));
        }
    CHECK(found == kAllowed);
}

TEST_CASE("what is final is never left") {
    for (const auto state : {PrivacyState::fulfilled, PrivacyState::denied, PrivacyState::cancelled,
                             PrivacyState::expired}) {
        CHECK(is_final(state));
        for (int a = 1; a <= static_cast<int>(kPrivacyActLast); ++a) {
            const auto to = after(state, static_cast<PrivacyAct>(a));
            if (to) CHECK(*to == state);
        }
    }
    CHECK_FALSE(is_final(PrivacyState::in_progress));
}

TEST_CASE("an opt-out and an objection are never verified, everything else is") {
    for (int k = 1; k <= static_cast<int>(kPrivacyKindLast); ++k) {
        const auto kind = static_cast<PrivacyKind>(k);
        const bool opt = kind == PrivacyKind::opt_out || kind == PrivacyKind::objection;
        CHECK(needs_verification(kind) == !opt);
        CHECK(parse_privacy_kind(to_string(kind)) == kind);
    }
}

TEST_CASE("a month ends on the same day, or on the last of a shorter month") {
    CHECK(month_after("2026-01-31T10:00:00Z", 1) == "2026-02-28T10:00:00.000Z");
    CHECK(month_after("2028-01-31T10:00:00Z", 1) == "2028-02-29T10:00:00.000Z");
    CHECK(month_after("2026-08-31T23:59:59.999Z", 1) == "2026-09-30T23:59:59.999Z");
    CHECK(month_after("2026-12-15T00:00:00Z", 1) == "2027-01-15T00:00:00.000Z");
    CHECK(month_after("2026-11-30T00:00:00Z", 3) == "2027-02-28T00:00:00.000Z");
}

TEST_CASE("business days leave out Saturdays and Sundays of UTC") {
    CHECK(after_of("2026-11-20T09:00:00Z", 1) == "2026-11-23T09:00:00.000Z");   // a Friday
    CHECK(after_of("2026-11-21T09:00:00Z", 1) == "2026-11-23T09:00:00.000Z");   // a Saturday
    CHECK(after_of("2026-11-22T09:00:00Z", 10) == "2026-12-04T09:00:00.000Z");  // a Sunday
    CHECK(after_of("2026-11-23T09:00:00Z", 15) == "2026-12-14T09:00:00.000Z");
    CHECK(after_of("2026-11-23T09:00:00Z", 0) == "2026-11-23T09:00:00.000Z");
    // A Saturday in Tokyo is still Friday here.
    CHECK(after_of("2026-11-21T08:00:00+09:00", 1) == "2026-11-23T23:00:00.000Z");
}

TEST_CASE("each law has its own terms") {
    CHECK(answer("gdpr", false, "2026-01-31T08:00:00Z") == "2026-02-28T08:00:00.000Z");
    CHECK(answer("uk_gdpr", true, "2026-01-31T08:00:00Z") == "2026-02-28T08:00:00.000Z");
    CHECK(answer("ccpa", false, "2026-11-23T08:00:00Z") == "2027-01-07T08:00:00.000Z");
    CHECK(answer("ccpa", true, "2026-11-23T08:00:00Z") == "2026-12-14T08:00:00.000Z");
    CHECK(answer("lgpd", false, "2026-11-23T08:00:00Z") == "2026-12-08T08:00:00.000Z");
    CHECK(answer("pipa_kr", false, "2026-11-23T08:00:00Z") == "2026-12-03T08:00:00.000Z");
    const auto ccpa = deadlines("ccpa", false, "2026-11-23T08:00:00Z");
    REQUIRE(ccpa.acknowledge_by);
    CHECK(format_time(*ccpa.acknowledge_by) == "2026-12-07T08:00:00.000Z");
    CHECK_FALSE(deadlines("gdpr", false, "2026-11-23T08:00:00Z").acknowledge_by);
    CHECK(find_privacy_regime("atlantis") == nullptr);
}

TEST_CASE("an extension counts from the end of the first term, and opt-outs have none") {
    const auto at = [](std::string_view regime, bool opts_out, const char* by) {
        const auto until = extended(*find_privacy_regime(regime), opts_out, *parse_time(by));
        return until ? format_time(*until) : "none";
    };
    CHECK(at("gdpr", false, "2026-02-28T08:00:00Z") == "2026-04-28T08:00:00.000Z");
    CHECK(at("ccpa", false, "2027-01-07T08:00:00Z") == "2027-02-21T08:00:00.000Z");
    CHECK(at("ccpa", true, "2027-01-07T08:00:00Z") == "none");
    CHECK(at("lgpd", false, "2027-01-07T08:00:00Z") == "none");
    for (const auto& regime : privacy_regimes()) {
        CHECK_FALSE(regime.answer.none());
        CHECK_FALSE(regime.source.empty());
    }
}
