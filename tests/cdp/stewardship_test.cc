#include "tests/cdp/stewardship_world.h"

#include "tests/support/any_order.h"
#include "tests/support/seeds.h"

using namespace tests;

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
    shuffle(taken, random);
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
