#include "cdp/stewardship.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "cdp/base/random.h"
#include "storage/key.h"
#include "tests/cdp/failing_store.h"
#include "tests/cdp/world.h"
#include "tests/support/seeds.h"

using nlohmann::json;
using tests::PlatformWorld;

namespace {

// With a channel that may see every event and what was bought, whatever was said.
cdp::Config open_config() {
    cdp::Config config;
    config.policy.purposes.push_back(
        {.name = "service", .regime = consent::Regime::contract, .target_types = {}});
    config.policy.channels.push_back({.id = "desk",
                                      .recipient = "The desk",
                                      .country = "",
                                      .purposes = {"service"},
                                      .labels = {{"behaviour"}, {"contact.email"}, {"commerce"}}});
    return config;
}

cdp::AssertionRequest request(const std::string& kind,
                              std::vector<cdp::AssertionRequest::Subject> identifiers = {}) {
    cdp::AssertionRequest out;
    out.kind = kind;
    out.identifiers = std::move(identifiers);
    out.reason = "asked for by the customer";
    out.author = "steward:kim";
    return out;
}

json say(PlatformWorld& world, const cdp::AssertionRequest& asked) {
    const auto answer = world.platform().stewardship().say(asked);
    if (!answer) return {{"error", answer.error().reason}, {"pointer", answer.error().pointer}};
    return json::parse(answer->json);
}

json revoke(PlatformWorld& world, const std::string& id) {
    const auto answer =
        world.platform().stewardship().revoke(id, "steward:kim", "it was a mistake");
    if (!answer) return {{"error", answer.error().reason}};
    return json::parse(*answer);
}

std::set<std::string> canonical(PlatformWorld& world, cdp::ExportKind kind) {
    std::set<std::string> lines;
    for (auto& line : world.exported(kind)) {
        if (line.contains("identifiers"))
            std::sort(line["identifiers"].begin(), line["identifiers"].end());
        lines.insert(line.dump());
    }
    return lines;
}

struct Picture {
    std::set<std::string> persons, links, events;
    std::vector<json> profiles;

    friend bool operator==(const Picture&, const Picture&) = default;
};

Picture picture(PlatformWorld& world) {
    Picture out{canonical(world, cdp::ExportKind::persons),
                canonical(world, cdp::ExportKind::links),
                canonical(world, cdp::ExportKind::events),
                {}};
    for (const auto& line : out.persons) {
        const auto person = json::parse(line).at("person").get<std::string>();
        out.profiles.push_back(world.profile("desk", "person", person, "service"));
        out.profiles.push_back(
            world.timeline("desk", "person", person, {.purpose = "service", .limit = 1000}));
        out.profiles.push_back(world.profile("ads_tool", "person", person, "advertising"));
    }
    for (auto& profile : out.profiles) profile.erase("decision");
    return out;
}

struct Sent {
    std::string source;
    json event;
};

// Of few people who share devices and addresses, over four days, from two sources.
std::vector<Sent> random_events(cdp::Random& random, std::size_t count) {
    std::vector<Sent> out;
    const auto pick = [&](const char* letter, std::uint64_t of) {
        return letter + std::to_string(random.below(of));
    };
    for (std::size_t i = 0; i < count; ++i) {
        json event{{"messageId", "m" + std::to_string(i)}, {"type", "track"}, {"event", "Seen"}};
        const auto hour = random.below(96);
        event["timestamp"] = "2026-11-" + std::to_string(16 + hour / 24) + "T" +
                             (hour % 24 < 10 ? "0" : "") + std::to_string(hour % 24) + ":30:00Z";
        if (random.one_in(2)) event["userId"] = pick("u", 5);
        if (random.one_in(2) || !event.contains("userId")) event["anonymousId"] = pick("a", 6);
        if (random.one_in(3)) {
            event["type"] = "identify";
            event["traits"] = {{"email", pick("e", 4) + "@shop.example"},
                               {"plan", std::to_string(i)}};
        }
        if (random.one_in(3)) event["context"]["device"]["id"] = pick("device-", 3);
        if (random.one_in(12) && event.contains("userId")) {
            event["type"] = "alias";
            event["previousId"] = random.one_in(2) ? pick("a", 6) : pick("u", 5);
        }
        if (random.one_in(4))
            event["context"]["consent"]["categoryPreferences"] = {
                {"advertising", random.one_in(2)}};
        out.push_back({random.one_in(3) ? "till" : "web", std::move(event)});
    }
    return out;
}

void send(PlatformWorld& world, const Sent& sent) {
    world.send_one(sent.event.dump(), PlatformWorld::source(sent.source));
}

void send(PlatformWorld& world, const std::vector<Sent>& all) {
    for (const auto& sent : all) send(world, sent);
}

// Some identifier of the stream.
cdp::AssertionRequest::Subject random_subject(cdp::Random& random, PlatformWorld& world) {
    const auto persons = world.exported(cdp::ExportKind::persons);
    const auto& ids = persons[random.below(persons.size())]["identifiers"];
    const auto& one = ids[random.below(ids.size())];
    return {one["type"], one["value"]};
}

cdp::AssertionRequest random_request(cdp::Random& random, PlatformWorld& world,
                                     const std::vector<Sent>& sent) {
    constexpr std::array kinds{"must_link", "cannot_link", "block", "shared", "retract"};
    auto out = request(kinds[random.below(kinds.size())]);
    out.identifiers.push_back(random_subject(random, world));
    if (out.kind == "must_link" || out.kind == "cannot_link")
        out.identifiers.push_back(random_subject(random, world));
    if (out.kind != "retract") return out;
    switch (random.below(4)) {
        case 0:
            out.identifiers.push_back(random_subject(random, world));
            if (random.one_in(2)) out.source = "web";
            break;
        case 1:
            out.identifiers.clear();
            out.source = random.one_in(2) ? "web" : "till";
            out.from = "2026-11-1" + std::to_string(6 + random.below(3));
            break;
        case 2:
            out.identifiers.clear();
            out.source = random.one_in(2) ? "web" : "till";
            out.from = "2026-11-17T1" + std::to_string(random.below(10)) + ":00:00Z";
            out.to = "2026-11-18T2" + std::to_string(random.below(4)) + ":15:00Z";
            break;
        default:
            out.identifiers.clear();
            for (auto n = 1 + random.below(4); n > 0; --n) {
                const auto& one = sent[random.below(sent.size())];
                out.events.push_back({one.source, one.event["messageId"]});
            }
    }
    return out;
}

// The same event as several that hold one identifier each: they say nothing of who is who.
std::vector<json> apart(const json& event) {
    std::vector<json> out;
    const auto add = [&](json one) {
        one["messageId"] = event["messageId"].get<std::string>() + "-" + std::to_string(out.size());
        one["type"] = one.contains("traits") ? "identify" : "track";
        one["event"] = "Seen";
        one["timestamp"] = event["timestamp"];
        out.push_back(std::move(one));
    };
    if (event.contains("userId")) add({{"userId", event["userId"]}});
    if (event.contains("anonymousId")) add({{"anonymousId", event["anonymousId"]}});
    if (event.contains("traits"))
        add({{"context",
              {{"externalIds",
                {{{"id", event["traits"]["email"]},
                  {"type", "email"},
                  {"collection", "users"},
                  {"encoding", "none"}}}}}}});
    if (event.contains("context") && event["context"].contains("device"))
        add({{"context",
              {{"externalIds",
                {{{"id", event["context"]["device"]["id"]},
                  {"type", "device_id"},
                  {"collection", "users"},
                  {"encoding", "none"}}}}}}});
    return out;
}

// Something that happens just before a commit, once.
class InterposingStore final : public storage::Store {
public:
    std::function<void()> next;

    std::unique_ptr<storage::Snapshot> snapshot() const override { return store_->snapshot(); }
    void commit(std::vector<storage::Transaction> transactions, storage::Committed done) override {
        if (const auto happen = std::exchange(next, nullptr)) happen();
        store_->commit(std::move(transactions), std::move(done));
    }
    bool current(const storage::ReadSet& reads) const override { return store_->current(reads); }
    Counts counts() const override { return store_->counts(); }
    std::size_t waiting() const override { return store_->waiting(); }
    storage::Health health() const override { return store_->health(); }

private:
    std::unique_ptr<storage::Store> store_ = storage::make_memory_store();
};

}  // namespace

TEST_CASE("what is said and then revoked was never said") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    cdp::Random random{seed};
    PlatformWorld world(open_config());
    const auto sent = random_events(random, 40);
    send(world, sent);
    const auto before = picture(world);
    std::vector<std::string> said;
    for (int i = 0; i < 3; ++i) {
        const auto asked = random_request(random, world, sent);
        const auto answer = say(world, asked);
        CAPTURE(asked.kind, answer.dump());
        if (!answer.contains("error") &&
            std::ranges::find(said, answer["id"].get<std::string>()) == said.end())
            said.push_back(answer["id"]);
    }
    send(world, sent);  // replays say nothing
    while (!said.empty()) {
        const auto at = static_cast<std::ptrdiff_t>(random.below(said.size()));
        REQUIRE(revoke(world, said[static_cast<std::size_t>(at)])["status"] == "revoked");
        said.erase(said.begin() + at);
    }
    const auto after = picture(world);
    CHECK(after.persons == before.persons);
    CHECK(after.links == before.links);
    CHECK(after.events == before.events);
    CHECK(after.profiles == before.profiles);
}

TEST_CASE("assertions in any order give the same persons") {
    const auto seed = GENERATE(tests::seeds(40));
    CAPTURE(seed);
    cdp::Random random{seed};
    const auto sent = random_events(random, 40);
    PlatformWorld first(open_config()), second(open_config());
    send(first, sent);
    std::vector<cdp::AssertionRequest> taken;
    for (int i = 0; i < 4; ++i) {
        const auto asked = random_request(random, first, sent);
        if (!say(first, asked).contains("error")) taken.push_back(asked);
    }
    // Also between the events, where what it names is known.
    for (auto i = taken.size(); i > 1; --i) std::swap(taken[i - 1], taken[random.below(i)]);
    send(second, sent);
    for (const auto& asked : taken) {
        const auto answer = say(second, asked);
        CAPTURE(asked.kind, answer.dump());
        // A link to one that is shared by now cannot be asserted.
        if (answer.contains("error")) return;
    }
    CHECK(canonical(first, cdp::ExportKind::persons) ==
          canonical(second, cdp::ExportKind::persons));
}

TEST_CASE("retracted events count as if they had named nobody together") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    cdp::Random random{seed};
    auto sent = random_events(random, 40);
    std::erase_if(sent, [](const Sent& one) { return one.event["type"] == "alias"; });
    PlatformWorld world(open_config()), never(open_config());
    send(world, sent);
    auto asked = request("retract");
    std::set<std::string> gone;
    for (const auto& one : sent)
        if (random.one_in(4) && apart(one.event).size() > 1) {
            asked.events.push_back({one.source, one.event["messageId"]});
            gone.insert(one.event["messageId"]);
        }
    if (gone.empty()) return;
    const auto events = world.exported(cdp::ExportKind::events).size();
    const auto answer = say(world, asked);
    CAPTURE(answer.dump());
    REQUIRE(answer["status"] == "standing");
    for (const auto& one : sent) {
        if (!gone.contains(one.event["messageId"])) {
            send(never, one);
            continue;
        }
        for (const auto& single : apart(one.event)) send(never, {one.source, single});
    }
    CHECK(canonical(world, cdp::ExportKind::links) == canonical(never, cdp::ExportKind::links));
    CHECK(canonical(world, cdp::ExportKind::persons) == canonical(never, cdp::ExportKind::persons));
    CHECK(world.exported(cdp::ExportKind::events).size() == events);

    const auto retracted = picture(world);
    send(world, sent);
    CHECK(picture(world) == retracted);
    world.clock().advance(std::chrono::days{365});  // long after any window of repetition
    for (const auto& one : sent)
        if (gone.contains(one.event["messageId"]))
            CHECK(world.send_one(one.event.dump(), PlatformWorld::source(one.source)) ==
                  "duplicate");
    CHECK(canonical(world, cdp::ExportKind::links) == retracted.links);
}

TEST_CASE("a range of a source that cuts days in two takes what those hours said and no more") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    cdp::Random random{seed};
    const auto sent = random_events(random, 40);
    PlatformWorld by_range(open_config()), by_event(open_config());
    send(by_range, sent);
    send(by_event, sent);
    auto range = request("retract");
    range.source = "web";
    range.from = "2026-11-17T08:00:00Z";
    range.to = "2026-11-18T17:00:00Z";
    auto events = request("retract");
    for (const auto& one : sent) {
        const auto time = one.event["timestamp"].get<std::string>();
        if (one.source != "web" || time < range.from || time >= range.to) continue;
        auto alone = request("retract");
        alone.events = {{"web", one.event["messageId"]}};
        if (!say(by_event, alone).contains("error")) events.events.push_back(alone.events[0]);
    }
    const auto answer = say(by_range, range);
    CAPTURE(answer.dump());
    if (events.events.empty()) {
        CHECK(answer["error"] == "retracts_nothing");
        return;
    }
    CHECK(canonical(by_range, cdp::ExportKind::persons) ==
          canonical(by_event, cdp::ExportKind::persons));
}

TEST_CASE("a merge by mistake comes apart with both people back") {
    PlatformWorld world(open_config());
    const auto person_of = [&](const std::string& user) {
        return world.profile("desk", "user_id", user, "service").value("person", "");
    };
    world.send_one(R"({"type":"track","event":"A","userId":"u1","messageId":"m1"})");
    world.send_one(
        R"({"type":"identify","anonymousId":"a1","traits":{"plan":"gold"},"messageId":"m2"})");
    const auto user = person_of("u1");
    const auto cookie = world.profile("desk", "anonymous_id", "a1", "service").value("person", "");
    REQUIRE(user != cookie);
    const auto before = picture(world);

    world.send_one(
        R"({"type":"track","event":"B","userId":"u1","anonymousId":"a1","messageId":"m3"})");
    const auto merged = person_of("u1");
    auto asked = request("retract");
    asked.events = {{"web", "m3"}};
    const auto answer = say(world, asked);
    CHECK(answer["changed"] == 1);
    CHECK(answer["changes"][0]["kind"] == "split");
    CHECK(answer["changes"][0]["from"] == merged);
    CHECK(canonical(world, cdp::ExportKind::persons) == before.persons);
    CHECK(canonical(world, cdp::ExportKind::links) == before.links);
    // Every id that was ever given out leads somewhere.
    for (const auto& id : {user, cookie, merged})
        CHECK(world.profile("desk", "person", id, "service").contains("person"));

    const auto whole = world.profile("desk", "anonymous_id", "a1", "service");
    CHECK(whole["traits"]["plan"]["value"] == "gold");
    CHECK(world.timeline("desk", "user_id", "u1", {.purpose = "service"})["events"].size() == 2);

    CHECK(say(world, asked)["id"] == answer["id"]);
    CHECK(
        world.send_one(
            R"({"type":"track","event":"B","userId":"u1","anonymousId":"a1","messageId":"m3"})") ==
        "duplicate");
    CHECK(canonical(world, cdp::ExportKind::persons) == before.persons);
}

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
    // The fact is committed and the process ends there.
    const auto config = open_config();
    const identity::Graph graph(world.store(), world.vault(), config.types);
    const auto snapshot = world.store().snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    identity::Assertion assertion;
    assertion.id = identity::new_assertion_id(world.clock().now(), "12345678");
    assertion.kind = identity::AssertionKind::cannot_link;
    assertion.identifiers = {graph.token("user_id", "u1"), graph.token("anonymous_id", "a1")};
    assertion.said = {"steward:kim", "two people", world.clock().now()};
    REQUIRE(identity::Assertions(world.vault()).add(transaction, assertion));
    identity::Upkeep::owe(transaction, assertion.id);
    REQUIRE(storage::commit_and_wait(world.store(), std::move(transaction)).state ==
            storage::CommitState::ok);
    CHECK(canonical(world, cdp::ExportKind::persons) == linked);

    world.restart(open_config());
    CHECK(world.platform().stewardship().finish_interrupted().error().reason == "rules_differ");
    REQUIRE(world.platform().stewardship().catch_up({}));
    CHECK(world.exported(cdp::ExportKind::persons).size() == 2);
    CHECK(world.platform().stewardship().finish_interrupted());
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
         "reason_too_long", "/reason"},
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
    const auto page = [&] { return json::parse(*world.platform().stewardship().page(query)); };
    const auto empty = page();
    CHECK(empty["assertions"].empty());
    REQUIRE(empty["next"].is_string());
    query.page.cursor = empty["next"];
    const auto last = page();
    REQUIRE(last["assertions"].size() == 1);
    CHECK(last["assertions"][0]["id"] == first["id"]);
    CHECK(last["next"].is_null());
}
