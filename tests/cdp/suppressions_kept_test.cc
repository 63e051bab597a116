#include <algorithm>
#include <filesystem>

#include "cdp/privacy_requests.h"
#include "cdp/scrub.h"
#include "cdp/told_erasures.h"
#include "tests/cdp/backup_world.h"
#include "tests/cdp/suppression_world.h"

// A suppression outlives whom it names, and comes back with a backup.

namespace {

using namespace tests;
using nlohmann::json;
using Reason = consent::SuppressionReason;
using Scope = consent::SuppressionScope;
using Shop = SuppressionShop;

}  // namespace

TEST_CASE("who is erased under a suppression does not come back by any fact of any time",
          "[suppression]") {
    Shop world;
    const auto made = suppress(world, "email", "a@shop.example", Reason::deceased);
    const auto done = erase(world, {.type = "user_id", .value = "u1"});
    CAPTURE(done.dump(1));
    CHECK(done["status"] == "completed");
    const auto kept = std::ranges::find_if(
        done["kept"], [](const auto& one) { return one["what"] == "suppressions"; });
    REQUIRE(kept != done["kept"].end());
    CHECK((*kept)["count"] == 1);
    world.clock().advance(std::chrono::hours(24 * 30));
    for (const auto* who : {R"("userId":"u1")", R"("anonymousId":"c1")",
                            R"("userId":"u9","traits":{"email":"a@shop.example"})"}) {
        CAPTURE(who);
        CHECK(world.send_one(R"({"type":"identify","messageId":"x1","timestamp":)"
                             R"("2026-12-20T10:00:00Z",)" +
                             std::string(who) + "}") == "suppressed");
    }
    for (const auto* state : {"granted", "withdrawn"})
        world.consent("email", "a@shop.example", "email_marketing", state);  // answered
    CHECK(world.exported(cdp::ExportKind::consents).empty());
    CHECK(world.profile("desk", "user_id", "u1", "service")["error"] == "person_unknown");
    CHECK(lift(world, made["id"])["error"] == "person_erased");
    const auto page = listed(world);
    REQUIRE(page["suppressions"].size() == 1);
    CHECK(page["suppressions"][0]["identifier"] == json({{"type", "email"}, {"value", nullptr}}));
    // A second erasure, of nobody, changes nothing of it.
    CHECK(erase(world, {.type = "user_id", .value = "u1"})["status"] == "completed");
    CHECK(world.send_one(R"({"type":"track","event":"Seen","userId":"u1","messageId":"x2",)"
                         R"("timestamp":"2026-12-21T10:00:00Z"})") == "suppressed");
    world.restart(lawful_config());
    CHECK(world.send_one(R"({"type":"track","event":"Seen","userId":"u1","messageId":"x3",)"
                         R"("timestamp":"2026-12-21T10:00:00Z"})") == "suppressed");
    while (world.platform().ledger().publish(world.clock().now()).value()) continue;
    CHECK(faults(world) == "");
    CHECK(differing_folds(world) == "");
}

TEST_CASE("who returns to an address that was suppressed alone is somebody new, never mailed there",
          "[suppression]") {
    Shop world;
    suppress(world, "email", "a@shop.example", Reason::bounced);
    CHECK(erase(world, {.type = "user_id", .value = "u1"})["status"] == "completed");
    world.clock().advance(std::chrono::hours(1));
    CHECK(world.send_one(R"({"type":"identify","messageId":"x1","userId":"u1","timestamp":)"
                         R"("2026-11-21T12:30:00Z","traits":{"email":"a@shop.example",)"
                         R"("plan":"new"}})",
                         PlatformWorld::source("till", cdp::Trust::server)) == "accepted");
    world.consent("email", "a@shop.example", "email_marketing", "granted", "person");
    const auto given = world.given();
    CHECK(given.find("new") != std::string::npos);
    CHECK(given.find("a@shop.example") == std::string::npos);
    CHECK(decided(world, "email", "a@shop.example")["reason"] == "suppressed");
    CHECK(differing_folds(world) == "");
}

TEST_CASE("one request erases and suppresses", "[suppression]") {
    Shop world;
    const cdp::ErasureRequest asked{.type = "email",
                                    .value = "a@shop.example",
                                    .suppress = Reason::complaint,
                                    .suppress_note = "by letter"};
    auto dry = asked;
    dry.dry_run = true;
    CHECK(erase(world, dry)["status"] == "dry_run");
    CHECK(listed(world)["suppressions"].empty());
    const auto done = erase(world, asked);
    CHECK(done["status"] == "completed");
    const auto page = listed(world);
    REQUIRE(page["suppressions"].size() == 1);
    CHECK(page["suppressions"][0]["scope"] == "person");
    CHECK(page["suppressions"][0]["request"] == done["id"]);
    world.clock().advance(std::chrono::hours(1));
    CHECK(world.send_one(R"({"type":"track","event":"Seen","userId":"u1","messageId":"x1",)"
                         R"("timestamp":"2026-11-21T12:30:00Z"})") == "suppressed");
    auto bad = asked;
    bad.suppress_note = "two\nlines";
    CHECK(erase(world, bad)["error"] == "malformed_note");
    // Somebody nobody knows.
    CHECK(erase(world, {.type = "email",
                        .value = "z@shop.example",
                        .suppress = Reason::requested})["status"] == "completed");
    CHECK(world.send_one(R"({"type":"identify","userId":"u7","messageId":"x2",)"
                         R"("timestamp":"2026-11-21T12:31:00Z","traits":{"email":)"
                         R"("z@shop.example"}})") == "suppressed");
}

TEST_CASE("a suppressed identifier is not erased away from the person it protects",
          "[suppression]") {
    Shop world;
    suppress(world, "email", "a@shop.example", Reason::legal);
    const cdp::ErasureRequest alone{
        .type = "email", .value = "a@shop.example", .scope = cdp::ErasureScope::identifier};
    CHECK(erase(world, alone)["error"] == "identifier_suppressed");
    suppress(world, "user_id", "u1", Reason::legal);
    // The person stays suppressed by another, yet who erases says so of the whole.
    CHECK(erase(world, {.type = "user_id", .value = "u1"})["status"] == "completed");
}

TEST_CASE("a restore suppresses again who was since, and revokes what was", "[suppression]") {
    tests::BackedUp world;
    world.send_one(kLogin, PlatformWorld::source("till", cdp::Trust::server));
    world.send_one(R"({"type":"identify","messageId":"n2","userId":"u2","traits":{"plan":"b"}})");
    world.send_one(R"({"type":"identify","messageId":"n3","userId":"u3","traits":{"plan":"c"}})");
    const auto old = suppress(world, "user_id", "u3");
    world.create();
    const auto never = suppress(world, "user_id", "u2");
    suppress(world, "email", "a@shop.example", Reason::deceased);
    CHECK(lift(world, old["id"])["status"] == "revoked");
    world.erase("user_id", "u1");
    world.clock().advance(std::chrono::hours(1));
    const auto done = world.restore();
    CHECK(done.suppressions_done == 3);
    CHECK(done.erasures_done == 1);
    tests::RestoredWorld restored(world.target(), world.keyring());
    // Also by a clock that was set back.
    CHECK(decided(restored, "user_id", "u2", "service", "desk")["reason"] == "suppressed");
    restored.clock().advance(std::chrono::hours(1));
    for (auto* one : std::initializer_list<PlatformWorld*>{&world, &restored}) {
        CHECK(decided(*one, "user_id", "u2", "service", "desk")["reason"] == "suppressed");
        CHECK(decided(*one, "user_id", "u3", "service", "desk")["outcome"] == "allow");
        CHECK(listed(*one)["suppressions"].size() == 3);
        CHECK(one->send_one(R"({"type":"track","event":"Seen","userId":"u1","messageId":"late",)"
                            R"("timestamp":"2026-11-21T12:30:00Z"})") == "suppressed");
    }
    while (restored.platform().ledger().publish(restored.clock().now()).value()) continue;
    CHECK(faults(restored) == "");
    const auto scrubbed = cdp::scrub(restored.store(), restored.vault(),
                                     [](std::string_view, std::uint64_t) { return true; });
    REQUIRE(scrubbed);
    CHECK(scrubbed->whole());
    // What a repository was told is what it is asked for again.
    CHECK(cdp::count_owed(*world.store().snapshot(), world.vault(), world.repo()).value() == 0);
}

TEST_CASE("a repository that is away is owed suppressions too", "[suppression]") {
    tests::BackedUp world;
    world.send_one(kLogin, PlatformWorld::source("till", cdp::Trust::server));
    world.create();
    std::filesystem::rename(world.repo(), world.folder / "away");
    const auto made = suppress(world, "user_id", "u1");
    world.backups.tell_erasures();
    const auto owed = [&] {
        return cdp::count_owed(*world.store().snapshot(), world.vault(), world.repo()).value();
    };
    CHECK(owed() == 1);
    CHECK(lift(world, made["id"])["status"] == "revoked");
    CHECK(owed() == 1);
    std::filesystem::rename(world.folder / "away", world.repo());
    world.backups.tell_erasures();
    CHECK(owed() == 0);
    world.restore();
    tests::RestoredWorld restored(world.target(), world.keyring());
    CHECK(listed(restored)["suppressions"][0]["status"] == "revoked");
    restored.clock().advance(std::chrono::minutes(1));
    CHECK(decided(restored, "user_id", "u1", "service", "desk")["outcome"] == "allow");
}

TEST_CASE("somebody who asks never to be contacted again is suppressed, and it is proven",
          "[suppression]") {
    Shop world;
    auto& requests = world.platform().privacy().requests;
    const cdp::NewPrivacyRequest asked{.kind = cdp::PrivacyKind::suppression,
                                       .identifiers = {{"email", "a@shop.example"}},
                                       .verified_by = "by_letter"};
    auto odd = asked;
    odd.suppression = "bored";
    const auto refused = requests.submit("kim", odd);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "malformed_suppression");
    const auto taken = requests.submit("kim", asked);
    REQUIRE(taken);
    const auto done = requests.advance(taken->id);
    REQUIRE(done);
    CHECK(done->state == cdp::PrivacyState::fulfilled);
    const auto page = listed(world);
    REQUIRE(page["suppressions"].size() == 1);
    const auto& one = page["suppressions"][0];
    CHECK(done->results.made == std::vector<std::string>{one["id"]});
    CHECK(one["reason"] == "requested");
    CHECK(one["scope"] == "person");
    CHECK(one["request"] == cdp::to_hex(taken->id.view()));
    CHECK_FALSE(names_anybody(world.given()));
    CHECK(faults(world) == "");
}
