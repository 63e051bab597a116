#include "storage/trusted_time.h"

#include <catch2/catch.hpp>

#include "tests/cdp/machine_store.h"
#include "tests/cdp/privacy_desk.h"
#include "tests/cdp/retention_world.h"

// A clock that is ahead of what the store trusts deletes nothing.

namespace {

using namespace tests;
using namespace tests::retention;
using namespace std::chrono_literals;
using cdp::PrivacyKind;
using cdp::PrivacyState;
using days = std::chrono::days;

std::string track(const std::string& id) {
    return R"({"type":"track","event":"x","userId":"u","messageId":")" + id + "\"}";
}

std::unique_ptr<MachineStore> clock_ahead(std::chrono::milliseconds by) {
    return std::make_unique<MachineStore>(by);
}

void accept_clock(PlatformWorld& world) {
    dynamic_cast<MachineStore&>(world.store()).accept_clock();
}

}  // namespace

TEST_CASE("a messageId is known for its days of trusted time, however far ahead the clock is") {
    PlatformWorld world({}, clock_ahead(days(10)));
    CHECK(world.send_one(track("m1")) == "accepted");
    world.clock().advance(days(31));
    CHECK(world.send_one(track("m1")) == "duplicate");
    world.clock().advance(days(10));
    CHECK(world.send_one(track("m1")) == "accepted");
}

TEST_CASE("what came under a clock that was not believed is known for as long after it is") {
    PlatformWorld world({}, clock_ahead(days(60)));
    CHECK(world.send_one(track("m1")) == "accepted");
    accept_clock(world);
    world.clock().advance(days(29));
    CHECK(world.send_one(track("m1")) == "duplicate");
    world.clock().advance(days(2));
    CHECK(world.send_one(track("m1")) == "accepted");
}

TEST_CASE("what came while the clock was behind is known when it is right again") {
    PlatformWorld world({}, clock_ahead(-days(400)));
    CHECK(world.send_one(track("m1")) == "accepted");
    world.clock().advance(days(400));
    CHECK(world.send_one(track("m1")) == "duplicate");
    world.clock().advance(days(31));
    CHECK(world.send_one(track("m1")) == "accepted");
}

TEST_CASE("retention hides what has passed by the clock, and takes away what has by trusted time") {
    PlatformWorld world(retaining({{What::type, "track", {0, 90}, ""}}), clock_ahead(days(20)));
    send(world, {{"type", "track"}, {"event", "Visit"}, {"userId", "u1"}}, "t1",
         "2026-11-21T11:00:00Z");
    world.clock().advance(days(100));
    CHECK(world.exported(cdp::ExportKind::events).empty());
    CHECK(state(world)["rules"][0]["due"]["events"] == 0);
    CHECK(gone(pruned(world), "events") == 0);
    // The clock was wrong: nothing is lost.
    world.clock().advance(-days(50));
    CHECK(world.exported(cdp::ExportKind::events).size() == 1);
    world.clock().advance(days(50));
    accept_clock(world);
    CHECK(gone(pruned(world), "events") == 1);
}

TEST_CASE("a request does not expire by a clock that is not believed") {
    Desk world(clock_ahead(days(50)));
    const auto unverified = world.submit(Desk::asked(PrivacyKind::access, "u2", ""));
    world.clock().advance(days(70));
    world.run_due();
    CHECK(world.read(unverified).state == PrivacyState::waiting_for_verification);
    accept_clock(world);
    world.run_due();
    CHECK(world.read(unverified).state == PrivacyState::expired);
}

TEST_CASE("an erasure that is held until a day is not begun by a clock that is not believed") {
    Desk world(clock_ahead(days(2)));
    auto held = Desk::asked(PrivacyKind::erasure);
    held.not_before = world.clock().now() + days(3);
    const auto erasure = world.submit(held);
    world.clock().advance(days(4));
    world.run_due();
    CHECK(world.read(erasure).state == PrivacyState::verified);
    CHECK(world.holds("u1"));
    accept_clock(world);
    world.run_due();
    CHECK(world.read(erasure).state == PrivacyState::fulfilled);
    CHECK_FALSE(world.holds("u1"));
}

TEST_CASE("what is asked under a clock that is not believed is done by that clock") {
    Desk world(clock_ahead(days(50)));
    auto held = Desk::asked(PrivacyKind::erasure);
    held.not_before = world.clock().now() + days(3);
    const auto erasure = world.submit(held);
    world.clock().advance(days(4));
    world.run_due();
    CHECK(world.read(erasure).state == PrivacyState::fulfilled);
}

TEST_CASE("a disk that is nearly full takes no events, but answers, erasures and who was told") {
    Desk world(std::make_unique<MachineStore>());
    dynamic_cast<MachineStore&>(world.store()).run_low();
    const auto from = PlatformWorld::source("till", cdp::Trust::server);
    auto batch = cdp::parse_body(track("m9"), std::nullopt,
                                 world.platform().parse_context(from, /*import=*/false));
    REQUIRE(batch);
    std::string refused;
    world.platform().ingest(from, std::move(*batch), [&](const auto& answer) {
        if (!answer && answer.error().code == cdp::ErrorCode::storage_full)
            refused = answer.error().reason;
    });
    CHECK(refused == "disk_low");
    world.consent("user_id", "u2", "email_marketing", "withdrawn");
    CHECK(world.profile("email_tool", "user_id", "u1", "email_marketing").contains("traits"));
    const auto erased = world.advance(world.submit(Desk::asked(PrivacyKind::erasure)));
    CHECK(erased.state == PrivacyState::fulfilled);
    CHECK_FALSE(world.holds("u1"));
}
