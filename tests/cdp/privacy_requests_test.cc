#include "cdp/privacy_requests.h"

#include <atomic>
#include <set>
#include <thread>

#include "cdp/privacy_regimes.h"
#include "cdp/privacy_runner.h"
#include "storage/key.h"
#include "tests/cdp/privacy_desk.h"

// What people ask of their data is taken down, done in time, and provable.

namespace {

using namespace std::chrono_literals;
using cdp::PrivacyAct;
using cdp::PrivacyKind;
using cdp::PrivacyRequest;
using cdp::PrivacyState;
using nlohmann::json;
using tests::acts;
using tests::Desk;
using tests::PlatformWorld;

TEST_CASE("who is not known is answered like everybody: nothing held") {
    Desk world;
    const auto done = world.advance(world.submit(Desk::asked(PrivacyKind::erasure, "nobody")));
    CHECK(done.state == PrivacyState::fulfilled);
    CHECK_FALSE(done.results.matched);
    CHECK(done.steps.back().code == "nothing_held");
}

TEST_CASE(
    "an objection needs no proof of who asks, and closes every purpose from when it was asked") {
    Desk world;
    REQUIRE(world.profile("email_tool", "user_id", "u1", "email_marketing")
                .at("traits")
                .contains("email"));
    const auto taken = world.submit(Desk::asked(PrivacyKind::objection, "u1", ""));
    CHECK(taken.state == PrivacyState::verified);
    const auto done = world.advance(taken);
    CHECK(done.state == PrivacyState::fulfilled);
    CHECK(done.results.records.size() == 1);
    const auto closed = world.profile("email_tool", "user_id", "u1", "email_marketing");
    CHECK(closed.at("traits").empty());
    // The same again, after a crash behind its end, changes nothing.
    CHECK(world.advance(done).steps.size() == done.steps.size());
    world.check_ledger();
}

TEST_CASE("an opt-out is of what the policy holds to be sale or sharing, or of what is named") {
    Desk world;
    const auto sale = world.submit(Desk::asked(PrivacyKind::opt_out, "u1", ""));
    CHECK(sale.purposes == std::vector<std::string>{"advertising"});
    auto named = Desk::asked(PrivacyKind::opt_out, "u1", "");
    named.purposes = {"analytics"};
    CHECK(world.submit(named).purposes == named.purposes);
    auto back = Desk::asked(PrivacyKind::opt_in);
    back.purposes = {"*"};
    CHECK(world.refused(back) == "purpose_not_specific /purposes/0");
    back.purposes = {"advertising"};
    CHECK(world.advance(world.submit(back)).state == PrivacyState::fulfilled);
}

TEST_CASE("who opted out by a law that says so is not asked again for its time") {
    Desk world;
    const auto until = [&](const char* regime, PrivacyKind kind) {
        auto wanted = Desk::asked(kind, "u1", "");
        wanted.regime = regime;
        wanted.purposes = {"advertising"};
        const auto done = world.advance(world.submit(wanted));
        REQUIRE(done.results.records.size() == 1);
        for (const auto& line : world.exported(cdp::ExportKind::consents))
            if (line.dump().find(done.results.records[0]) != std::string::npos)
                return line.value("no_reask_until", std::string("none"));
        return std::string("no record");
    };
    const auto later = cdp::LegalTerm{.months = 12}.after(world.clock().now());
    CHECK(until("ccpa", PrivacyKind::opt_out) == cdp::format_time(later));
    CHECK(until("gdpr", PrivacyKind::opt_out) == "none");
    CHECK(until("ccpa", PrivacyKind::objection) == "none");
}

TEST_CASE("a later answer of the person wins over a request that waited for its verification") {
    Desk world;
    auto wanted = Desk::asked(PrivacyKind::opt_in, "u1", "");
    wanted.identifiers = {{"email", "a@shop.example"}};
    wanted.purposes = {"email_marketing"};
    const auto waiting = world.submit(wanted);
    CHECK(waiting.state == PrivacyState::waiting_for_verification);
    world.clock().advance(1h);
    world.consent("email", "a@shop.example", "email_marketing", "withdrawn");
    world.clock().advance(1h);
    CHECK(world.step(waiting, {.act = PrivacyAct::verify, .code = "call_back"}) == "verified");
    CHECK(world.advance(waiting).state == PrivacyState::fulfilled);
    CHECK(world.profile("email_tool", "user_id", "u1", "email_marketing").at("traits").empty());
}

TEST_CASE("a restriction is lifted by an officer alone, and not before the person was told") {
    Desk world;
    const auto done = world.advance(world.submit(Desk::asked(PrivacyKind::restriction)));
    REQUIRE(done.state == PrivacyState::fulfilled);
    CHECK(world.profile("email_tool", "user_id", "u1", "email_marketing").at("traits").empty());
    world.clock().advance(1h);
    CHECK(world.step(done, {.act = PrivacyAct::lift, .code = "claim_settled"}) ==
          "person_not_informed");
    const cdp::PrivacyStepRequest lift{
        .act = PrivacyAct::lift, .code = "claim_settled", .informed = true};
    CHECK(world.step(done, lift) == "fulfilled");
    CHECK(world.profile("email_tool", "user_id", "u1", "email_marketing")
              .at("traits")
              .contains("email"));
    CHECK(world.step(done, lift) == "already_lifted");
    const auto other = world.advance(world.submit(Desk::asked(PrivacyKind::objection, "u2", "")));
    CHECK(world.step(other, lift) == "step_not_possible");
    world.check_ledger();
}

TEST_CASE("a request waits for its verification, and expires with its term") {
    Desk world;
    const auto waiting = world.submit(Desk::asked(PrivacyKind::erasure, "u1", ""));
    CHECK(waiting.state == PrivacyState::waiting_for_verification);
    world.run_due();
    CHECK(world.read(waiting).state == PrivacyState::waiting_for_verification);
    CHECK(world.step(waiting, {.act = PrivacyAct::extend, .code = "many_requests"}) ==
          "waiting_for_verification");
    CHECK(world.step(waiting, {.act = PrivacyAct::extend, .code = "many_requests"}) ==
          "already_extended");
    world.clock().advance(std::chrono::days(40));
    world.run_due();
    CHECK(world.read(waiting).state == PrivacyState::waiting_for_verification);
    world.clock().advance(std::chrono::days(60));
    world.run_due();
    CHECK(world.read(waiting).state == PrivacyState::expired);
    CHECK(world.holds("u1"));
    CHECK(world.step(waiting, {.act = PrivacyAct::verify, .code = "late"}) == "step_not_possible");
}

TEST_CASE("what is entered late has its whole term to be verified in, and no more to be answered") {
    Desk world;
    auto wanted = Desk::asked(PrivacyKind::erasure, "u1", "");
    wanted.received = world.clock().now() - std::chrono::days(80);
    const auto waiting = world.submit(wanted);
    CHECK(waiting.due() < world.clock().now());
    CHECK(world.step(waiting, {.act = PrivacyAct::extend, .code = "many_requests"}) ==
          "not_extendable");
    world.clock().advance(std::chrono::days(27));
    world.run_due();
    CHECK(world.read(waiting).state == PrivacyState::waiting_for_verification);
    world.clock().advance(std::chrono::days(5));
    world.run_due();
    CHECK(world.read(waiting).state == PrivacyState::expired);
}

TEST_CASE("until its time comes a request can be cancelled, and afterwards not") {
    Desk world;
    auto wanted = Desk::asked(PrivacyKind::erasure);
    wanted.not_before = world.clock().now() + 10s;
    const auto first = world.submit(wanted);
    wanted.identifiers = {{"user_id", "u2"}};
    const auto second = world.submit(wanted);
    world.run_due();
    CHECK(world.read(first).state == PrivacyState::verified);
    CHECK(world.step(first, {.act = PrivacyAct::cancel}) == "cancelled");
    world.clock().advance(10s);
    world.run_due();
    CHECK(world.read(first).state == PrivacyState::cancelled);
    CHECK(world.holds("u1"));
    CHECK(world.read(second).state == PrivacyState::fulfilled);
    CHECK_FALSE(world.holds("u2"));
    CHECK(world.step(second, {.act = PrivacyAct::cancel}) == "step_not_possible");
}

TEST_CASE("the same id of the same sender is the same request, of another content none") {
    Desk world;
    auto wanted = Desk::asked(PrivacyKind::erasure);
    wanted.external_id = "X";
    const auto first = world.submit(wanted);
    CHECK(world.submit(wanted).id == first.id);
    CHECK(world.submit(wanted, "lee").id != first.id);
    auto other = wanted;
    other.protocol = cdp::PrivacyProtocol::drp;
    CHECK(world.submit(other).id != first.id);
    other = wanted;
    other.kind = PrivacyKind::objection;
    CHECK(world.refused(other) == "request_id_reused /external_id");
    // Also when nobody is known by it any more.
    world.advance(first);
    CHECK(world.submit(wanted).id == first.id);
    CHECK(world.submit(wanted).state == PrivacyState::fulfilled);
    CHECK_FALSE(world.requests().find(cdp::PrivacyProtocol::direct, "kim", "Y"));
}

TEST_CASE("what cannot be taken as it was asked is refused where it stands") {
    Desk world;
    CHECK(world.refused({.kind = PrivacyKind::erasure}) == "identifiers_missing /identifiers");
    auto wanted = Desk::asked(PrivacyKind::erasure);
    wanted.regime = "atlantis";
    CHECK(world.refused(wanted) == "regime_unknown /regime");
    wanted = Desk::asked(PrivacyKind::erasure);
    wanted.identifiers.push_back({"email", "no address"});
    CHECK(world.refused(wanted) == "malformed_identifier /identifiers/1/value");
    wanted.identifiers = {{"person", "00"}};
    CHECK(world.refused(wanted) == "person_not_identifier /identifiers/0/type");
    wanted = Desk::asked(PrivacyKind::erasure);
    wanted.purposes = {"advertising"};
    CHECK(world.refused(wanted) == "purposes_unexpected /purposes");
    wanted = Desk::asked(PrivacyKind::objection);
    wanted.purposes = {"astrology"};
    CHECK(world.refused(wanted) == "purpose_unknown /purposes/0");
    wanted = Desk::asked(PrivacyKind::erasure, "u1", "By phone");
    CHECK(world.refused(wanted) == "malformed_code /verified_by");
    wanted = Desk::asked(PrivacyKind::erasure);
    wanted.reason = "two\nlines";
    CHECK(world.refused(wanted) == "malformed_reason /reason");
    wanted = Desk::asked(PrivacyKind::erasure);
    wanted.not_before = world.clock().now() + std::chrono::days(60);
    CHECK(world.refused(wanted) == "not_before_too_late /not_before");
    wanted = Desk::asked(PrivacyKind::erasure);
    wanted.identifiers.assign(257, {"user_id", "u1"});
    CHECK(world.refused(wanted) == "too_many_identifiers /identifiers");
}

TEST_CASE("a step that the state does not take is refused by both their names") {
    Desk world;
    const auto waiting = world.submit(Desk::asked(PrivacyKind::erasure, "u1", ""));
    const auto refused = world.requests().step("officer:kim", waiting.id,
                                               {.act = PrivacyAct::fulfil, .code = "by_hand"});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "step_not_possible");
    CHECK(world.step(waiting, {.act = PrivacyAct::begin}) == "step_unknown");
    CHECK(world.step(waiting, {.act = PrivacyAct::verify}) == "code_required");
    CHECK(world.step(waiting, {.act = PrivacyAct::deny}) == "denial_required");
    CHECK(world.step(waiting, {.act = PrivacyAct::retry}) == "step_not_possible");
    CHECK(world.step(waiting, {.act = PrivacyAct::deny,
                               .denial = cdp::PrivacyDenial::suspected_fraud}) == "denied");
    CHECK(world.read(waiting).denial == cdp::PrivacyDenial::suspected_fraud);
    CHECK_FALSE(world.requests().step("officer:kim", {}, {.act = PrivacyAct::cancel}));
}

TEST_CASE("what fails for now is tried again, later each time, and what fails for good waits") {
    Desk world;
    auto error = cdp::Error{.code = cdp::ErrorCode::unavailable, .reason = "busy"};
    int asked = 0;
    world.requests().serve(PrivacyKind::erasure,
                           [&](const cdp::PrivacyJob&) -> cdp::Result<cdp::PrivacyResults> {
                               ++asked;
                               return error;
                           });
    const auto taken = world.submit(Desk::asked(PrivacyKind::erasure));
    world.run_due();
    world.run_due();
    CHECK(asked == 1);
    world.clock().advance(1s);
    world.run_due();
    CHECK(asked == 2);
    world.clock().advance(1s);
    world.run_due();
    CHECK(asked == 2);
    world.clock().advance(1s);
    error.code = cdp::ErrorCode::invalid_argument;
    world.run_due();
    CHECK(asked == 3);
    CHECK(world.read(taken).blocked == "busy");
    error.code = cdp::ErrorCode::not_found;
    CHECK(world.step(taken, {.act = PrivacyAct::retry}) == "in_progress");
    world.run_due();
    CHECK(world.read(taken).state == PrivacyState::denied);
    CHECK(world.read(taken).denial == cdp::PrivacyDenial::no_match);
}

TEST_CASE("many who submit, cancel and advance at once come to one end each") {
    Desk world;
    auto wanted = Desk::asked(PrivacyKind::objection, "u2", "");
    wanted.external_id = "once";
    std::atomic<int> cancelled = 0;
    std::vector<std::thread> threads;
    for (int n = 0; n < 6; ++n)
        threads.emplace_back([&, n] {
            const auto taken = world.requests().submit("kim", wanted);
            if (!taken) return;
            if (n % 2 == 0) {
                (void)world.requests().advance(taken->id);
            } else if (const auto ended = world.requests().step("officer:kim", taken->id,
                                                                {.act = PrivacyAct::cancel})) {
                ++cancelled;
            }
        });
    for (auto& thread : threads) thread.join();
    const auto end = world.requests().find(cdp::PrivacyProtocol::direct, "kim", "once");
    REQUIRE(end);
    CHECK(is_final(end->state));
    CHECK(cancelled <= 1);
    CHECK((end->state == PrivacyState::cancelled) == (cancelled == 1));
    CHECK(end->results.records.empty() == (cancelled == 1));
    CHECK(end->steps.size() == (cancelled == 1 ? 3U : 4U));
    world.check_ledger();
}

TEST_CASE("objections of many at once end with their own records") {
    Desk world;
    std::vector<PrivacyRequest> all;
    for (int i = 0; i < 64; ++i) {
        auto wanted = Desk::asked(PrivacyKind::objection, i % 2 == 0 ? "u1" : "u2", "");
        wanted.external_id = std::to_string(i);
        all.push_back(world.submit(wanted));
    }
    std::vector<std::thread> threads;
    for (std::size_t worker = 0; worker < 4; ++worker)
        threads.emplace_back([&, worker] {
            for (auto i = worker; i < all.size(); i += 4)
                CDP_ASSERT(static_cast<bool>(world.requests().advance(all[i].id)));
        });
    for (auto& thread : threads) thread.join();
    std::set<std::string> records;
    for (const auto& one : all) {
        const auto done = world.read(one);
        CHECK(done.state == PrivacyState::fulfilled);
        records.insert(done.results.records.begin(), done.results.records.end());
    }
    CHECK(records.size() == all.size());
}

TEST_CASE("each change of state is owed to the protocol until it is settled") {
    Desk world;
    auto wanted = Desk::asked(PrivacyKind::erasure);
    wanted.protocol = cdp::PrivacyProtocol::open_dsr;
    wanted.external_id = "d1";
    wanted.callbacks = true;
    wanted.context = R"({"urls":[]})";
    int told = 0;
    world.requests().subscribe([&] { ++told; });
    const auto taken = world.advance(world.submit(wanted, "controller"));
    CHECK(told > 0);
    CHECK(taken.context == wanted.context);
    CHECK(world.requests().owed(cdp::PrivacyProtocol::drp, 10)->empty());
    world.restart(tests::open_config());
    auto owed = world.requests().owed(cdp::PrivacyProtocol::open_dsr, 10);
    REQUIRE(owed);
    std::string states;
    for (const auto& one : *owed) states += std::string(to_string(one.state)) + ' ';
    CHECK(states == "verified in_progress fulfilled ");
    REQUIRE(world.requests().postpone(owed->front(), world.clock().now() + 1min));
    CHECK(world.requests().owed(cdp::PrivacyProtocol::open_dsr, 10)->size() == 2);
    CHECK(world.requests().owed(cdp::PrivacyProtocol::open_dsr, 10, true)->back().attempts == 1);
    for (const auto& one : *owed) {
        REQUIRE(world.requests().settle(one, "callback_delivered", "202"));
        REQUIRE(world.requests().settle(one, "callback_delivered", "202"));
    }
    CHECK(world.requests().owed(cdp::PrivacyProtocol::open_dsr, 10, true)->empty());
    CHECK(acts(world.read(taken)) == "receive verify begin fulfil note note note");
    world.check_ledger();
}

TEST_CASE("what is damaged keeps nothing else from being done, nor from being told") {
    Desk world;
    auto wanted = Desk::asked(PrivacyKind::erasure);
    wanted.protocol = cdp::PrivacyProtocol::open_dsr;
    wanted.callbacks = true;
    std::vector<PrivacyRequest> all;
    // More than are looked at at once.
    for (int i = 0; i < 70; ++i) all.push_back(world.submit(wanted));
    wanted.identifiers = {{"user_id", "u2"}};
    world.clock().advance(1s);
    const auto last = world.submit(wanted);
    const auto snapshot = world.store().snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    for (const auto& one : all) transaction.put(cdp::privacy_request_key(one.id), "damaged");
    REQUIRE(commit_and_wait(world.store(), std::move(transaction)).state ==
            storage::CommitState::ok);
    const auto next = world.requests().run_due([] { return true; });
    REQUIRE(next);
    REQUIRE(*next);
    CHECK(**next > world.clock().now());
    CHECK(world.read(last).state == PrivacyState::fulfilled);
    const auto owed = world.requests().owed(cdp::PrivacyProtocol::open_dsr, 10);
    REQUIRE(owed);
    CHECK(owed->size() == 3);
    for (const auto& one : *owed) CHECK(one.request == last.id);
}

TEST_CASE("lists name no person, and are read in pages by age or by urgency") {
    Desk world;
    std::vector<std::string> ids;
    for (int n = 0; n < 5; ++n) {
        auto wanted = Desk::asked(n % 2 ? PrivacyKind::objection : PrivacyKind::erasure, "u1", "");
        wanted.regime = n == 2 ? "pipa_kr" : "gdpr";
        ids.push_back(cdp::to_hex(world.submit(wanted).id.view()));
        world.clock().advance(1min);
    }
    const auto page = [&](cdp::PrivacyRequestsQuery query) {
        const auto text = world.requests().page(query);
        REQUIRE(text);
        CHECK(text->find("u1") == std::string::npos);
        return json::parse(*text);
    };
    std::vector<std::string> seen;
    cdp::PrivacyRequestsQuery query{.page = {.limit = 2}};
    for (;;) {
        const auto one = page(query);
        for (const auto& request : one.at("requests")) seen.push_back(request.at("id"));
        if (one.at("next").is_null()) break;
        query.page.cursor = one.at("next");
    }
    std::ranges::reverse(seen);
    CHECK(seen == ids);
    CHECK(page({.kind = "objection"}).at("requests").size() == 2);
    CHECK(page({.status = "waiting_for_verification"}).at("requests").size() == 3);
    const auto urgent = page({.due_before = world.clock().now() + std::chrono::days(20)});
    REQUIRE(urgent.at("requests").size() == 1);
    CHECK(urgent.at("requests")[0].at("regime") == "pipa_kr");
    CHECK(page({.status = "overdue"}).at("requests").empty());
    world.clock().advance(std::chrono::days(12));
    CHECK(page({.status = "overdue"}).at("requests").size() == 1);
    CHECK(world.requests().page({.status = "later"}).error().reason == "status_unknown");
    CHECK(world.requests().page({.kind = "party"}).error().reason == "kind_unknown");
    CHECK(world.requests().page({.page = {.limit = 2, .cursor = "00"}}).error().reason ==
          "malformed_cursor");
    // A cursor goes on with what it was given out for, and with nothing else.
    const auto due = world.clock().now() + std::chrono::days(90);
    const std::vector<cdp::PrivacyRequestsQuery> questions{
        {.page = {.limit = 1}},
        {.kind = "erasure", .page = {.limit = 1}},
        {.status = "open", .page = {.limit = 1}},
        {.due_before = due, .page = {.limit = 1}},
        {.kind = "erasure", .due_before = due, .page = {.limit = 1}},
        {.due_before = due + 1h, .page = {.limit = 1}}};
    for (std::size_t i = 0; i < questions.size(); ++i)
        for (std::size_t k = 0; k < questions.size(); ++k) {
            CAPTURE(i, k);
            auto next = questions[k];
            next.page.cursor = page(questions[i]).at("next");
            const auto answer = world.requests().page(next);
            CHECK(static_cast<bool>(answer) == (i == k));
            if (!answer) CHECK(answer.error().reason == "malformed_cursor");
        }
    const auto shown = world.requests().show(PlatformWorld::officer(),
                                             world.requests().read(std::string_view(ids[0]))->id);
    REQUIRE(shown);
    CHECK(json::parse(*shown).at("identifiers")[0].at("value") == "u1");
}

TEST_CASE("the thread does what becomes ready, and sleeps otherwise") {
    Desk world;
    world.platform().privacy().runner.start();
    const auto taken = world.submit(Desk::asked(PrivacyKind::objection, "u1", ""));
    for (int n = 0; n < 500 && !is_final(world.read(taken).state); ++n)
        std::this_thread::sleep_for(10ms);
    CHECK(world.read(taken).state == PrivacyState::fulfilled);
}

TEST_CASE("a step that was changed on disk is found by the ledger's check") {
    Desk world;
    world.submit(Desk::asked(PrivacyKind::erasure, "u1", ""));
    world.check_ledger();
    const auto snapshot = world.store().snapshot();
    std::string step;
    REQUIRE(snapshot->scan(storage::space_prefix(storage::Space::privacy_request), "",
                           [&](std::string_view key, std::string_view value) {
                               // 's' and four bytes behind the id.
                               if (key.size() == storage::kGroupBytes + 5) step = key;
                               return value.empty() || step.empty();
                           }));
    REQUIRE_FALSE(step.empty());
    storage::Transaction transaction(*snapshot, storage::kPartition);
    transaction.put(step, "changed");
    REQUIRE(commit_and_wait(world.store(), std::move(transaction)).state ==
            storage::CommitState::ok);
    const auto checked = world.platform().check_ledger([](auto, auto) { return true; });
    REQUIRE(checked);
    REQUIRE(checked->fault);
    CHECK(checked->fault->what == "request_step");
}

}  // namespace
