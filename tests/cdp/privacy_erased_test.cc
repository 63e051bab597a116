#include "cdp/erasures.h"
#include "cdp/privacy_request_rows.h"
#include "storage/key.h"
#include "tests/cdp/failing_store.h"
#include "tests/cdp/privacy_desk.h"

// What people ask of their data outlives who asked, and names them no more.

namespace {

using namespace std::chrono_literals;
using cdp::PrivacyAct;
using cdp::PrivacyKind;
using cdp::PrivacyState;
using tests::acts;
using tests::Desk;
using tests::PlatformWorld;

TEST_CASE("an erasure that is asked for is done, and still answered when nobody is known by it") {
    Desk world;
    auto wanted = Desk::asked(PrivacyKind::erasure);
    wanted.identifiers.push_back({"email", "A@shop.example"});
    wanted.reason = "asked at the desk";
    wanted.external_id = "T-1";
    const auto taken = world.submit(wanted);
    CHECK(taken.state == PrivacyState::verified);
    CHECK(taken.reason == "asked at the desk");
    CHECK(taken.identifiers.size() == 2);
    const auto done = world.advance(taken);
    CHECK(done.state == PrivacyState::fulfilled);
    CHECK(acts(done) == "receive verify begin fulfil");
    CHECK(done.results.matched);
    CHECK(done.results.erasures.size() == 1);
    CHECK(done.results.counts.at("identifiers") == 3);
    CHECK(done.identifiers.empty());
    CHECK(done.reason.empty());
    CHECK(done.asked == 2);
    CHECK_FALSE(world.holds("u1"));
    CHECK(world.holds("u2"));
    const auto found = world.requests().find(cdp::PrivacyProtocol::direct, "kim", "T-1");
    REQUIRE(found);
    CHECK(found->id == taken.id);
    world.check_ledger();
}

TEST_CASE("nothing under a request's own rows names who asked, once they are erased") {
    Desk world;
    auto wanted = Desk::asked(PrivacyKind::erasure);
    wanted.identifiers.push_back({"email", "nobody@shop.example"});
    const auto done = world.advance(world.submit(wanted));
    REQUIRE(done.state == PrivacyState::fulfilled);
    for (const auto& [type, value] :
         {std::pair{"user_id", "u1"}, std::pair{"email", "nobody@shop.example"}}) {
        const auto token = world.vault().token(type, value);
        std::string spaces;
        REQUIRE(world.store().snapshot()->scan(std::string(2, '\0'), "",
                                               [&](std::string_view key, std::string_view) {
                                                   if (key.find(token.view()) != key.npos)
                                                       spaces += key[2];
                                                   return true;
                                               }));
        // The tombstone, and by which erasure: more than one row.
        CHECK(spaces.find_first_not_of(static_cast<char>(storage::Space::tombstone)) ==
              spaces.npos);
    }
}

TEST_CASE(
    "what is said of a request in words goes with the person, and is proved while it is there") {
    Desk world;
    auto wanted = Desk::asked(PrivacyKind::access);
    wanted.external_id = "ticket of a@shop.example";
    wanted.context = "for a@shop.example";
    const auto taken = world.submit(wanted);
    CHECK(taken.external_id == wanted.external_id);
    CHECK(taken.context == wanted.context);
    CHECK(world.step(taken, {.act = PrivacyAct::note, .code = "called", .detail = "said a@"}) ==
          "verified");
    const auto noted = world.read(taken);
    REQUIRE(noted.remarks.size() == 1);
    const auto& [number, remark] = *noted.remarks.begin();
    CHECK(remark.text == "said a@");
    CHECK(noted.steps.at(number).remark == remark.digest());
    CHECK(noted.steps.at(number).detail.empty());
    const auto row_of = [&] {
        const auto snapshot = world.store().snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const auto row = cdp::find_privacy_row(transaction, world.vault(), taken.id);
        REQUIRE((row && *row));
        return (*row)->request;
    };
    // Not under the server's key, which no erasure destroys.
    CHECK(row_of().external_id.empty());
    CHECK(row_of().context.empty());
    REQUIRE(
        world.platform().privacy().erasures.carry_out("kim", {.type = "user_id", .value = "u1"}));
    world.run_due();
    const auto end = world.read(taken);
    CHECK(end.state == PrivacyState::denied);
    CHECK(end.external_id.empty());
    CHECK(end.context.empty());
    CHECK(end.remarks.empty());
    CHECK(world.step(taken, {.act = PrivacyAct::note, .code = "called", .detail = "again"}) ==
          "person_erased");
    CHECK(world.step(taken, {.act = PrivacyAct::note, .code = "called"}) == "denied");
    CHECK(world.submit(wanted).id == taken.id);
    world.check_ledger();
}

TEST_CASE("what a protocol is to be told with is kept until it was told of whoever was erased") {
    Desk world;
    auto wanted = Desk::asked(PrivacyKind::erasure);
    wanted.protocol = cdp::PrivacyProtocol::open_dsr;
    wanted.callbacks = true;
    wanted.external_id = "d1";
    wanted.context = "https://controller.example/told";
    const auto erasure = world.submit(wanted, "officer:controller");
    wanted.kind = PrivacyKind::access;
    wanted.external_id = "d2";
    wanted.not_before = world.clock().now() + 1h;
    const auto access = world.submit(wanted, "officer:controller");
    world.run_due();
    for (const auto& one : {erasure, access}) {
        const auto end = world.read(one);
        CHECK(is_final(end.state));
        CHECK(end.identifiers.empty());
        CHECK(end.external_id == one.external_id);
        CHECK(end.context == wanted.context);
    }
    const auto owed = world.requests().owed(wanted.protocol, 10, true);
    REQUIRE(owed);
    REQUIRE(owed->size() == 5);
    for (const auto& one : *owed)
        REQUIRE(world.requests().settle(one, "callback_delivered", "controller.example 200"));
    for (const auto& one : {erasure, access}) {
        CHECK(world.read(one).external_id.empty());
        CHECK(world.read(one).context.empty());
        CHECK(world.requests()
                  .find(wanted.protocol, "officer:controller", one.external_id)
                  ->external_id == one.external_id);
    }
}

TEST_CASE("an erasure says what it left, and why") {
    Desk world;
    for (const char* user : {"u5", "u6"})
        world.send_one(R"({"type":"identify","userId":")" + std::string(user) +
                       R"(","anonymousId":"tablet","messageId":")" + user +
                       R"(","timestamp":"2026-11-20T13:00:00Z","traits":{"plan":"gold"}})");
    world.clock().advance(1s);
    auto wanted = Desk::asked(PrivacyKind::erasure, "u5");
    wanted.identifiers.push_back({"anonymous_id", "tablet"});
    const auto done = world.advance(world.submit(wanted));
    CHECK(done.state == PrivacyState::fulfilled);
    CHECK(done.steps.back().code == "done_in_part");
    CHECK(done.results.stayed ==
          std::map<std::string, std::vector<std::string>>{{"identifier_shared", {"anonymous_id"}}});
    const auto shown = nlohmann::json::parse(*world.requests().json(done));
    CHECK(shown["results"]["stayed"]["identifier_shared"][0] == "anonymous_id");
    CHECK_FALSE(world.holds("u5"));
    CHECK(world.holds("u6"));
}

TEST_CASE("what was open when the person was erased ends by itself") {
    Desk world;
    const auto waiting = world.submit(Desk::asked(PrivacyKind::erasure, "u1", ""));
    auto later = Desk::asked(PrivacyKind::opt_in);
    later.purposes = {"advertising"};
    later.not_before = world.clock().now() + std::chrono::days(3);
    const auto opt_in = world.submit(later);
    auto object = Desk::asked(PrivacyKind::objection);
    object.not_before = later.not_before;
    const auto objection = world.submit(object);
    world.clock().advance(1s);
    REQUIRE(world.platform().privacy().erasures.erase(PlatformWorld::officer(), "officer:kim",
                                                      {.type = "user_id", .value = "u1"}));
    world.run_due();
    CHECK(world.read(waiting).state == PrivacyState::fulfilled);
    CHECK(world.read(opt_in).state == PrivacyState::denied);
    CHECK(world.read(opt_in).denial == cdp::PrivacyDenial::no_match);
    CHECK(world.read(objection).state == PrivacyState::fulfilled);
    const auto next = world.requests().run_due([] { return true; });
    REQUIRE(next);
    CHECK_FALSE(*next);
    world.check_ledger();
}

TEST_CASE("who was erased is not named by what else their requests had named them by") {
    Desk world;
    auto wanted = Desk::asked(PrivacyKind::access);
    wanted.identifiers.push_back({"email", "other@shop.example"});
    wanted.reason = "asked at the desk";
    const auto done = world.advance(world.submit(wanted));
    REQUIRE(done.state == PrivacyState::fulfilled);
    wanted.not_before = world.clock().now() + std::chrono::days(3);
    const auto open = world.submit(wanted);
    wanted.kind = PrivacyKind::erasure;
    wanted.identifiers.push_back({"user_id", "u2"});
    const auto erasure = world.submit(wanted);
    world.clock().advance(1s);
    REQUIRE(world.platform().privacy().erasures.erase(PlatformWorld::officer(), "officer:kim",
                                                      {.type = "user_id", .value = "u1"}));
    world.run_due();
    CHECK(world.read(done).identifiers.empty());
    CHECK(world.read(done).reason.empty());
    CHECK(world.read(open).identifiers.empty());
    CHECK(world.read(open).state == PrivacyState::denied);
    // What is still to be erased is.
    CHECK(world.read(erasure).identifiers.size() == 2);
    world.clock().advance(std::chrono::days(3));
    world.run_due();
    CHECK(world.read(erasure).state == PrivacyState::fulfilled);
    CHECK(world.read(erasure).identifiers.empty());
    CHECK_FALSE(world.holds("u2"));
}

TEST_CASE("an opt-out from before an erasure says that it closes nothing") {
    Desk world;
    auto wanted = Desk::asked(PrivacyKind::opt_out, "u1", "");
    wanted.received = world.clock().now();
    world.clock().advance(1h);
    REQUIRE(world.platform().privacy().erasures.erase(PlatformWorld::officer(), "officer:kim",
                                                      {.type = "user_id", .value = "u1"}));
    world.clock().advance(1h);
    const auto late = world.advance(world.submit(wanted));
    CHECK(late.state == PrivacyState::fulfilled);
    CHECK(late.steps.back().code == "suppressed");
    CHECK_FALSE(late.results.matched);
    CHECK(late.results.records.empty());
    CHECK(late.results.counts.at("suppressed") == 1);
    wanted.received.reset();
    const auto now = world.advance(world.submit(wanted));
    CHECK(now.steps.back().code == "done");
    CHECK(now.results.records.size() == 1);
}

TEST_CASE("an identifier of several people alone erases nobody and waits for an officer") {
    Desk world;
    for (const char* user : {"u5", "u6"})
        world.send_one(R"({"type":"identify","userId":")" + std::string(user) +
                       R"(","anonymousId":"tablet","messageId":")" + user +
                       R"(","timestamp":"2026-11-20T13:00:00Z"})");
    auto wanted = Desk::asked(PrivacyKind::erasure);
    wanted.identifiers = {{"anonymous_id", "tablet"}};
    const auto blocked = world.advance(world.submit(wanted));
    CHECK(blocked.state == PrivacyState::in_progress);
    CHECK(blocked.blocked == "identifier_shared");
    world.clock().advance(std::chrono::days(1));
    world.run_due();
    CHECK(world.read(blocked).steps.size() == blocked.steps.size());
    CHECK(world.step(blocked, {.act = PrivacyAct::retry}) == "in_progress");
    CHECK(world.advance(blocked).blocked == "identifier_shared");
    CHECK(world.step(blocked, {.act = PrivacyAct::deny, .denial = cdp::PrivacyDenial::other}) ==
          "denied");
    // With another one beside it the person goes, and the tablet stays.
    wanted.identifiers.push_back({"user_id", "u5"});
    const auto done = world.advance(world.submit(wanted));
    CHECK(done.state == PrivacyState::fulfilled);
    CHECK_FALSE(world.holds("u5"));
    CHECK(world.holds("u6"));
}

TEST_CASE("a start goes on with what was begun") {
    Desk world;
    const auto erasure = world.submit(Desk::asked(PrivacyKind::erasure));
    const auto objection = world.submit(Desk::asked(PrivacyKind::objection, "u2", ""));
    // As kill -9 leaves it: begun, and nothing done.
    int asked = 0;
    for (const auto kind : {PrivacyKind::erasure, PrivacyKind::objection})
        world.requests().serve(
            kind, [&](const cdp::PrivacyJob&) -> cdp::Result<cdp::PrivacyResults> {
                ++asked;
                return cdp::Error{.code = cdp::ErrorCode::unavailable, .reason = "stopped"};
            });
    world.run_due();
    CHECK(asked == 2);
    CHECK(world.read(erasure).state == PrivacyState::in_progress);
    world.clock().advance(1h);
    world.restart(tests::open_config());
    world.run_due();
    CHECK(world.read(erasure).state == PrivacyState::fulfilled);
    CHECK(world.read(objection).state == PrivacyState::fulfilled);
    CHECK_FALSE(world.holds("u1"));
    world.check_ledger();
}

TEST_CASE("an erasure that was done before its request said so is done once") {
    Desk world;
    const auto taken = world.submit(Desk::asked(PrivacyKind::erasure));
    std::optional<cdp::Erasure> done;
    world.requests().serve(
        PrivacyKind::erasure, [&](const cdp::PrivacyJob& job) -> cdp::Result<cdp::PrivacyResults> {
            const auto& one = job.named.front().identifier;
            auto erased = world.platform().privacy().erasures.carry_out(
                "kim", {.type = one.type, .value = one.value});
            REQUIRE(erased);
            done = *erased;
            return cdp::Error{.code = cdp::ErrorCode::unavailable, .reason = "stopped"};
        });
    world.run_due();
    CHECK(world.read(taken).state == PrivacyState::in_progress);
    world.clock().advance(1h);
    world.restart(tests::open_config());
    world.run_due();
    const auto end = world.read(taken);
    CHECK(end.state == PrivacyState::fulfilled);
    REQUIRE(end.results.erasures.size() == 1);
    CHECK(end.results.erasures[0] == cdp::to_hex(done->id.view()));
    CHECK(end.results.counts.at("identifiers") == 3);
}

TEST_CASE("whichever commit is the last before a kill, a request comes to its end, once") {
    using tests::FailingStore;
    bool whole = false;
    for (std::uint64_t taken = 0; !whole; ++taken) {
        REQUIRE(taken < 100);
        CAPTURE(taken);
        auto store = std::make_unique<FailingStore>();
        auto& left = store->commits_left();
        Desk world(std::move(store));
        const auto erasure = world.submit(Desk::asked(PrivacyKind::erasure));
        const auto objection = world.submit(Desk::asked(PrivacyKind::objection, "u2", ""));
        left = taken;
        (void)world.requests().run_due([] { return true; });
        whole = left > 0;
        left = FailingStore::kNever;
        world.restart(tests::open_config());
        world.clock().advance(2h);
        world.run_due();
        CHECK(world.read(erasure).state == PrivacyState::fulfilled);
        CHECK(world.read(erasure).results.matched);
        CHECK(world.read(erasure).results.counts.at("identifiers") == 3);
        CHECK(world.read(objection).state == PrivacyState::fulfilled);
        CHECK(world.read(objection).results.records.size() == 1);
        CHECK_FALSE(world.holds("u1"));
    }
}

}  // namespace
