#include "tests/cdp/stewardship_world.h"

#include "cdp/erasures.h"
#include "cdp/privacy.h"
#include "tests/cdp/failing_store.h"
#include "tests/support/seeds.h"

using namespace tests;

namespace {

// The fact is committed and the process ends there.
void owe(PlatformWorld& world, identity::AssertionKind kind,
         const std::pair<std::string, std::string>& a,
         const std::pair<std::string, std::string>& b) {
    const auto config = open_config();
    const identity::Graph graph(world.store(), world.vault(), config.types);
    const auto snapshot = world.store().snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    identity::Assertion assertion;
    assertion.id = identity::new_assertion_id(world.clock().now(), "12345678");
    assertion.kind = kind;
    assertion.identifiers = {graph.token(a.first, a.second), graph.token(b.first, b.second)};
    assertion.said = {"steward:kim", "as was seen at the till", world.clock().now()};
    REQUIRE(identity::Assertions(world.vault()).add(transaction, assertion));
    identity::Upkeep::owe(transaction, assertion.id);
    REQUIRE(storage::commit_and_wait(world.store(), std::move(transaction)).state ==
            storage::CommitState::ok);
}

}  // namespace

TEST_CASE("an event is retracted whose messageId was forgotten, and is a repetition ever after") {
    PlatformWorld world(open_config());
    const auto event =
        R"({"type":"track","event":"A","userId":"u1","anonymousId":"a1","messageId":"m1",
            "timestamp":"2026-11-20T10:00:00Z"})";
    world.send_one(event);
    // As the store forgets it when its time has come.
    const auto snapshot = world.store().snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    transaction.erase(cdp::dedupe_key(cdp::event_id_of(world.vault(), "web", "m1")));
    REQUIRE(storage::commit_and_wait(world.store(), std::move(transaction)).state ==
            storage::CommitState::ok);

    auto asked = request("retract");
    asked.events = {{"web", "m1"}};
    CHECK(say(world, asked)["changed"] == 1);
    CHECK(world.exported(cdp::ExportKind::persons).size() == 2);
    world.clock().advance(std::chrono::days{3650});
    CHECK(world.send_one(event) == "duplicate");
}

TEST_CASE("what an interrupted process owes is drawn at the next start") {
    PlatformWorld world(open_config());
    world.send_one(R"({"type":"track","event":"A","userId":"u1","anonymousId":"a1"})");
    const auto linked = canonical(world, cdp::ExportKind::persons);
    owe(world, identity::AssertionKind::cannot_link, {"user_id", "u1"}, {"anonymous_id", "a1"});
    CHECK(canonical(world, cdp::ExportKind::persons) == linked);

    world.restart(open_config());
    CHECK(world.platform().stewardship().finish_interrupted().error().reason == "rules_differ");
    REQUIRE(world.platform().stewardship().catch_up({}));
    CHECK(world.exported(cdp::ExportKind::persons).size() == 2);
    CHECK(world.platform().stewardship().finish_interrupted());
}

TEST_CASE("what is owed of who was erased meanwhile is nothing, and holds nobody up") {
    PlatformWorld world(open_config());
    for (const auto* user : {"u1", "u2"})
        world.send_one(R"({"type":"track","event":"A","userId":")" + std::string(user) + R"("})");
    owe(world, identity::AssertionKind::must_link, {"user_id", "u1"}, {"user_id", "u2"});
    REQUIRE(world.platform().privacy().erasures.erase(PlatformWorld::officer(), "officer:kim",
                                                      {.type = "user_id", .value = "u1"}));
    REQUIRE(world.platform().stewardship().catch_up({}));
    CHECK(world.platform().stewardship().finish_interrupted());
    world.send_one(R"({"type":"track","event":"A","userId":"u3"})");
    auto asked = request("must_link");
    asked.identifiers = {{"user_id", "u2"}, {"user_id", "u3"}};
    CHECK(say(world, asked)["status"] == "standing");
}

TEST_CASE("what was written and could not be drawn is drawn by the next who speaks") {
    auto owned = std::make_unique<tests::FailingStore>(storage::make_memory_store());
    auto& left = owned->commits_left();
    PlatformWorld world(open_config(), std::move(owned));
    world.send_one(R"({"type":"track","event":"A","userId":"u1","anonymousId":"a1",
                       "messageId":"m1"})");
    world.send_one(R"({"type":"track","event":"A","userId":"u2"})");
    const auto linked = canonical(world, cdp::ExportKind::persons);
    const auto links = canonical(world, cdp::ExportKind::links);
    auto asked = request("cannot_link", {{"user_id", "u1"}, {"anonymous_id", "a1"}});
    if (GENERATE(false, true)) {
        asked = request("retract");
        asked.events = {{"web", "m1"}};
    }
    CAPTURE(asked.kind);
    left = 1;
    CHECK(say(world, asked)["error"] == "interrupted");
    left = tests::FailingStore::kNever;
    CHECK(canonical(world, cdp::ExportKind::persons) == linked);
    CHECK(say(world, request("block", {{"user_id", "u2"}}))["status"] == "standing");
    CHECK(world.exported(cdp::ExportKind::persons).size() == 3);
    const std::string id = say(world, asked)["id"];

    left = 1;
    CHECK(revoke(world, id)["error"] == "interrupted");
    left = tests::FailingStore::kNever;
    CHECK(world.exported(cdp::ExportKind::persons).size() == 3);
    const auto answer = revoke(world, id);
    CHECK(answer.value("status", "") == "revoked");
    CHECK(answer.value("changed", 0) == 1);
    CHECK(canonical(world, cdp::ExportKind::persons) == linked);
    CHECK(canonical(world, cdp::ExportKind::links) == links);
    CHECK(revoke(world, id)["error"] == "already_revoked");
}

TEST_CASE("what cannot be asserted is refused by name and changes nothing") {
    PlatformWorld world(open_config());
    world.send_one(R"({"type":"track","event":"A","userId":"u1","anonymousId":"a1",
                       "messageId":"m1","timestamp":"2026-11-20T10:00:00Z"})");
    world.send_one(R"({"type":"track","event":"A","userId":"u2","messageId":"m2"})");
    using Subject = cdp::AssertionRequest::Subject;
    const Subject u1{"user_id", "u1"}, u2{"user_id", "u2"}, a1{"anonymous_id", "a1"},
        nobody{"user_id", "u9"};
    REQUIRE(say(world, request("cannot_link", {u1, u2}))["status"] == "standing");
    const auto before = picture(world);
    const auto retract = [](const std::string& source, const std::string& from,
                            const std::string& to) {
        auto out = request("retract");
        out.source = source;
        out.from = from;
        out.to = to;
        return out;
    };
    const auto with = [](cdp::AssertionRequest out, auto change) {
        change(out);
        return out;
    };
    struct Row {
        cdp::AssertionRequest asked;
        const char* code;
        const char* pointer;
    };
    const std::vector<Row> rows{
        {request("merge", {u1, u2}), "kind_unknown", "/kind"},
        {request("", {u1, u2}), "kind_unknown", "/kind"},
        {with(request("block", {u1}), [](auto& r) { r.reason = " \n"; }), "reason_required",
         "/reason"},
        {with(request("block", {u1}), [](auto& r) { r.reason = std::string(1025, 'x'); }),
         "malformed_reason", "/reason"},
        {request("must_link", {u1}), "identifiers_wrong", "/identifiers"},
        {request("block", {u1, u2}), "identifiers_wrong", "/identifiers"},
        {request("retract", {u1}), "identifiers_wrong", "/identifiers"},
        {request("must_link", {u1, nobody}), "identifier_unknown", "/identifiers/1"},
        {request("cannot_link", {u1, u1}), "same_identifier", "/identifiers/1"},
        {request("cannot_link", {u1, {"user_id", " u1 "}}), "same_identifier", "/identifiers/1"},
        {request("must_link", {u2, u1}), "contradicts_assertion", "/identifiers/0"},
        {request("block", {{"person", std::string(32, '0')}}), "person_not_identifier",
         "/identifiers/0/type"},
        {request("block", {{"Bad Type", "x"}}), "malformed_identifier_type", "/identifiers/0/type"},
        {request("block", {{"email", "not an address"}}), "malformed_identifier",
         "/identifiers/0/value"},
        {with(request("block", {u1}), [](auto& r) { r.source = "web"; }), "not_of_this_kind",
         "/source"},
        {with(request("block", {u1}), [](auto& r) { r.events = {{"web", "m1"}}; }),
         "not_of_this_kind", "/events"},
        {request("retract"), "retract_incomplete", ""},
        {retract("web", "", ""), "range_required", "/from"},
        {retract("web", "yesterday", ""), "malformed_time", "/from"},
        {retract("web", "", "2026-13-01"), "malformed_time", "/to"},
        {retract("web", "2026-11-20", "2026-11-19"), "from_after_to", "/from"},
        {retract("web", "2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"), "from_after_to", "/from"},
        {retract("web", "2030-01-01", ""), "from_after_to", "/from"},
        {retract("web", "2026-11-18", "2026-11-19"), "retracts_nothing", "/source"},
        {retract("web", "2026-11-20T10:00:01Z", "2026-11-20T11:00:00Z"), "retracts_nothing",
         "/source"},
        {retract("nowhere", "2026-11-01", ""), "retracts_nothing", "/source"},
        {request("retract", {u2, a1}), "retracts_nothing", "/identifiers"},
        {with(request("retract", {u1, a1}), [](auto& r) { r.from = "2026-11-20T10:00:00Z"; }),
         "range_not_whole_days", "/from"},
        {with(request("retract", {u1, a1}), [](auto& r) { r.source = "till"; }), "retracts_nothing",
         "/identifiers"},
        {with(request("retract"), [](auto& r) { r.events = {{"web", "m9"}}; }), "retracts_nothing",
         "/events/0"},
        {with(request("retract"), [](auto& r) { r.events = {{"web", "m1"}, {"web", "m2"}}; }),
         "retracts_nothing", "/events/1"},
        {with(request("retract"), [](auto& r) { r.events = {{"web", ""}}; }), "event_incomplete",
         "/events/0"},
        {with(request("retract"), [](auto& r) { r.events.assign(101, {"web", "m1"}); }),
         "too_many_events", "/events"},
        {with(request("retract", {u1, a1}), [](auto& r) { r.events = {{"web", "m1"}}; }),
         "retract_ambiguous", "/events"},
    };
    for (const auto& row : rows) {
        const auto answer = say(world, row.asked);
        CAPTURE(row.code, answer.dump());
        CHECK(answer.value("error", "") == row.code);
        CHECK(answer.value("pointer", "") == row.pointer);
    }
    CHECK(picture(world) == before);
    CHECK(revoke(world, "zz")["error"] == "assertion_unknown");
    CHECK(revoke(world, std::string(32, '0'))["error"] == "assertion_unknown");
}

TEST_CASE("the same request under one key is one assertion, another is refused") {
    PlatformWorld world(open_config());
    world.send_one(R"({"type":"track","event":"A","userId":"u1","anonymousId":"a1",
                       "messageId":"m1","timestamp":"2026-11-20T10:00:00Z"})");
    auto asked = request("retract");
    asked.source = "web";
    asked.from = "2026-11-20T09:00:00Z";
    asked.idempotency_key = "k1";
    const auto first = say(world, asked);
    CHECK(first["changed"] == 1);
    CHECK(first["taken_events"] == 1);
    world.clock().advance(std::chrono::hours{3});
    CHECK(say(world, asked) == first);
    asked.from = "2026-11-20T08:00:00Z";
    CHECK(say(world, asked)["error"] == "idempotency_key_reused");
}

TEST_CASE("a cut day's event that is acknowledged just before the fact is taken too") {
    auto owned = std::make_unique<InterposingStore>();
    auto& store = *owned;
    PlatformWorld world(open_config(), std::move(owned));
    world.send_one(R"({"type":"track","event":"A","userId":"u1","anonymousId":"a1",
                       "timestamp":"2026-11-20T10:00:00Z"})");
    auto asked = request("retract");
    asked.source = "web";
    asked.from = "2026-11-20T09:00:00Z";
    asked.to = "2026-11-20T11:00:00Z";
    store.next = [&] {
        world.send_one(R"({"type":"track","event":"A","userId":"u2","anonymousId":"a2",
                           "timestamp":"2026-11-20T10:30:00Z"})");
    };
    const auto answer = say(world, asked);
    CHECK(answer["status"] == "standing");
    CHECK(world.exported(cdp::ExportKind::persons).size() == 4);
    CHECK(revoke(world, answer["id"])["status"] == "revoked");
    CHECK(world.exported(cdp::ExportKind::persons).size() == 2);
}

TEST_CASE("an event is retracted that was linked when its type had another class") {
    PlatformWorld world(open_config());
    world.send_one(R"({"type":"track","event":"A","userId":"u1","anonymousId":"a1",
                       "messageId":"m1"})");
    auto config = open_config();
    auto type = config.types.find("anonymous_id");
    type.link_class = identity::LinkClass::device;
    config.types.set(type);
    world.restart(config);
    REQUIRE(world.platform().stewardship().catch_up({}));
    REQUIRE(world.exported(cdp::ExportKind::persons).size() == 1);
    auto asked = request("retract");
    asked.events = {{"web", "m1"}};
    const auto answer = say(world, asked);
    CHECK(answer["status"] == "standing");
    CHECK(world.exported(cdp::ExportKind::persons).size() == 2);
    CHECK(world.exported(cdp::ExportKind::links).empty());
    CHECK(revoke(world, answer["id"])["status"] == "revoked");
    CHECK(world.exported(cdp::ExportKind::persons).size() == 1);
}

TEST_CASE("a page that a filter leaves empty says where to go on") {
    PlatformWorld world(open_config());
    world.send_one(R"({"type":"track","event":"A","userId":"u1"})");
    world.send_one(R"({"type":"track","event":"A","userId":"u2"})");
    const auto first = say(world, request("block", {{"user_id", "u2"}}));
    for (int i = 0; i < 2'000; ++i) {
        world.clock().advance(std::chrono::milliseconds{1});
        revoke(world, say(world, request("block", {{"user_id", "u1"}}))["id"]);
    }
    cdp::AssertionsQuery query;
    query.page.limit = 50;
    query.status = "standing";
    const auto page = [&] {
        return json::parse(*world.platform().assertions(world.officer(), query));
    };
    const auto empty = page();
    CHECK(empty["assertions"].empty());
    REQUIRE(empty["next"].is_string());
    query.page.cursor = empty["next"];
    const auto last = page();
    REQUIRE(last["assertions"].size() == 1);
    CHECK(last["assertions"][0]["id"] == first["id"]);
    CHECK(last["next"].is_null());
}
