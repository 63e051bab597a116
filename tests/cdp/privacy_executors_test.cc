#include "cdp/privacy_executors.h"

#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"
#include "tests/cdp/failing_store.h"
#include "tests/cdp/stewardship_world.h"

// What is asked to be seen or put right is counted and done for whom it names.

namespace {

using cdp::NewPrivacyRequest;
using cdp::PrivacyKind;
using cdp::PrivacyRequest;
using nlohmann::json;
using tests::PlatformWorld;

struct Desk : PlatformWorld {
    explicit Desk(std::unique_ptr<storage::Store> store = storage::make_memory_store())
        : PlatformWorld(tests::open_config(), std::move(store)) {
        for (const char* user : {"u5", "u6"})
            send_one(R"({"type":"identify","userId":")" + std::string(user) +
                     R"(","anonymousId":"tablet","messageId":")" + user +
                     R"(","timestamp":"2026-11-20T13:00:00Z","traits":{"plan":"gold"}})");
        clock().advance(std::chrono::seconds(1));
    }
    cdp::PrivacyRequests& requests() { return platform().privacy().requests; }
    PrivacyRequest submit(PrivacyKind kind, std::vector<cdp::RequestedIdentifier> whom) {
        NewPrivacyRequest wanted{
            .kind = kind, .identifiers = std::move(whom), .verified_by = "in_person"};
        if (kind == PrivacyKind::rectification) wanted.traits = {{"plan", "\"silver\""}};
        const auto taken = requests().submit("kim", wanted);
        REQUIRE(taken);
        return *taken;
    }
    PrivacyRequest advance(const PrivacyRequest& one) {
        const auto advanced = requests().advance(one.id);
        REQUIRE(advanced);
        return *advanced;
    }
};

}  // namespace

TEST_CASE("what several people have shows nobody's data, and waits for an officer") {
    Desk world;
    for (const auto kind :
         {PrivacyKind::access, PrivacyKind::portability, PrivacyKind::rectification}) {
        CAPTURE(to_string(kind));
        const auto blocked = world.advance(world.submit(kind, {{"anonymous_id", "tablet"}}));
        CHECK(blocked.state == cdp::PrivacyState::in_progress);
        CHECK(blocked.blocked == "identifier_shared");
        // With another one beside it there is a person, and one alone.
        const auto done =
            world.advance(world.submit(kind, {{"anonymous_id", "tablet"}, {"user_id", "u5"}}));
        CHECK(done.state == cdp::PrivacyState::fulfilled);
        CHECK(done.results.matched);
    }
}

TEST_CASE("a correction that was made before its request said so is made once") {
    Desk world;
    const auto taken = world.submit(PrivacyKind::rectification, {{"user_id", "u5"}});
    const auto& rectifications = world.platform().privacy().rectifications;
    const auto made = rectifications.rectify(PlatformWorld::officer("asked"), "kim",
                                             {.type = "user_id",
                                              .value = "u5",
                                              .traits = {{"plan", "\"silver\""}},
                                              .reason = "asked",
                                              .id = taken.id});
    REQUIRE(made);
    const auto done = world.advance(taken);
    CHECK(done.state == cdp::PrivacyState::fulfilled);
    CHECK(done.results.made == std::vector<std::string>{cdp::to_hex(taken.id.view())});
    const auto listed = rectifications.page({});
    REQUIRE(listed);
    CHECK(json::parse(*listed)["rectifications"].size() == 1);
}

TEST_CASE("what was found is counted by kind, and given for a week") {
    Desk world;
    const auto done =
        world.advance(world.submit(PrivacyKind::access, {{"user_id", "u5"}, {"user_id", "u6"}}));
    CHECK(done.results.matched);
    CHECK(done.results.counts.at("events") == 2);
    CHECK(done.results.until == world.clock().now() + std::chrono::days(7));
    const auto nobody = world.advance(world.submit(PrivacyKind::portability, {{"user_id", "u9"}}));
    CHECK(nobody.state == cdp::PrivacyState::fulfilled);
    CHECK_FALSE(nobody.results.matched);
    CHECK(nobody.results.counts.empty());
}

TEST_CASE("the week in which results are given runs from when it was said that there are some") {
    Desk world;
    world.requests().serve(PrivacyKind::access, [&](const cdp::PrivacyJob&) {
        world.clock().advance(std::chrono::hours(1));
        return cdp::Result<cdp::PrivacyResults>(cdp::PrivacyResults{.matched = true});
    });
    const auto done = world.advance(world.submit(PrivacyKind::access, {{"user_id", "u5"}}));
    REQUIRE(done.state == cdp::PrivacyState::fulfilled);
    CHECK(done.results.until == done.steps.back().time + std::chrono::days(7));
}

TEST_CASE("an objection is repeated after some of whom it names were taken from it") {
    using tests::FailingStore;
    bool whole = false;
    for (std::uint64_t taken = 0; !whole; ++taken) {
        REQUIRE(taken < 100);
        CAPTURE(taken);
        auto store = std::make_unique<FailingStore>();
        auto& left = store->commits_left();
        Desk world(std::move(store));
        const auto asked =
            world.submit(PrivacyKind::objection, {{"user_id", "u5"}, {"user_id", "u6"}});
        left = taken;
        (void)world.requests().advance(asked.id);
        whole = left > 0;
        left = FailingStore::kNever;
        const auto snapshot = world.store().snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        cdp::erase_subject(transaction, asked.id, world.vault().token("user_id", "u6"));
        REQUIRE(commit_and_wait(world.store(), std::move(transaction)).state ==
                storage::CommitState::ok);
        world.clock().advance(std::chrono::hours(2));
        const auto done = world.advance(asked);
        CHECK(done.state == cdp::PrivacyState::fulfilled);
        CHECK(done.blocked.empty());
    }
}
