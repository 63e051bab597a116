#include "tests/simulator/cdp_row.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "cdp/event.h"

namespace simulator {
namespace {

cdp::Result<cdp::Event> read(const SimEvent& event) {
    const auto types = identity::IdentifierTypes::defaults();
    cdp::ParseContext context;
    context.received = cdp::timestamp_of(event.arrival);
    context.region = "DE";
    context.types = &types;
    context.new_message_id = [] { return std::string("unused"); };
    auto batch = cdp::parse_body(body_of(event), std::nullopt, context);
    REQUIRE(batch);
    REQUIRE(batch->events.size() == 1);
    return std::move(batch->events[0]);
}

std::string value_of(const cdp::Event& event, const std::string& type) {
    for (const auto& one : event.identifiers)
        if (one.type == type) return one.value;
    return "";
}

bool warned_of(const cdp::Event& event, const std::string& code) {
    return std::ranges::find(event.warnings, code) != event.warnings.end();
}

TEST_CASE("what the simulator means is what cdp reads, in whatever form it is sent") {
    int contacts = 0;
    for (const auto& event : generate(2, 150)) {
        const auto got = read(event);
        if (!got) {
            REQUIRE(got.error().reason == "no_identifier");
            continue;
        }
        CAPTURE(event.message_id, body_of(event));
        REQUIRE(value_of(*got, "user_id") == event.user_id);
        REQUIRE(value_of(*got, "anonymous_id") == event.anonymous_id);
        REQUIRE(value_of(*got, "device_id") == event.device_id);
        REQUIRE(value_of(*got, "loyalty_id") == event.loyalty_id);
        REQUIRE(got->previous_id.value_or("") == event.previous_id);
        if (!warned_of(*got, "null_like_email")) REQUIRE(value_of(*got, "email") == event.email);
        if (!warned_of(*got, "null_like_phone")) REQUIRE(value_of(*got, "phone") == event.phone);
        REQUIRE(
            (event.email_sha256.empty() || value_of(*got, "email_sha256") == event.email_sha256));
        if (event.clock_error == 0) REQUIRE(got->time == cdp::timestamp_of(event.time));
        contacts += !event.email.empty();
    }
    CHECK(contacts > 100);
}

TEST_CASE("the platform makes the same people of the same events in any order") {
    const auto events = generate(2, 100);
    const auto order = delivery(events, 2);
    const auto people = run_cdp(events, order);
    CHECK(agreement(people, run_cdp(events, shuffled(order, 2))) == 1);
    CHECK(agreement(people, run_cdp(events, with_late(events, order, 2))) == 1);
    CHECK(with_two_accounts(events, people) == 0);
    CHECK(b_cubed(truth_of(events), people).f1 > .7);
}

}  // namespace
}  // namespace simulator
