#include <algorithm>
#include <set>

#include "tests/cdp/world.h"
#include "tests/support/any_order.h"
#include "tests/support/seeds.h"

// The second promise, from outside: the same events and answers in any order, repeated and late,
// give the same people, the same evidence, the same consent and the same answers to every channel.

namespace {

using tests::PlatformWorld;

struct Call {
    std::string body;
    bool server = false;
};

Call draw_call(cdp::Random& random, std::size_t serial) {
    nlohmann::json event{
        {"messageId", "m" + std::to_string(serial)}, {"type", "track"}, {"event", "A"}};
    // Two days, so that stamps of one day contradict each other.
    char time[32];
    std::snprintf(time, sizeof time, "2026-11-%02d %02d:%02d:00Z",
                  static_cast<int>(19 + random.below(2)), static_cast<int>(random.below(24)),
                  static_cast<int>(random.below(60)));
    event["timestamp"] = time;
    if (random.one_in(2)) event["userId"] = tests::pick(random, "u", 4);
    if (!event.contains("userId") || !random.one_in(3))
        event["anonymousId"] = tests::pick(random, "a", 6);
    if (random.one_in(3)) {
        event["type"] = "identify";
        event["traits"] = {{"plan", tests::pick(random, "plan", 3)},
                           {"email", tests::pick(random, "e", 5) + "@shop.example"}};
    } else if (event.contains("userId") && random.one_in(6)) {
        event["type"] = "alias";
        event["previousId"] =
            random.one_in(2) ? tests::pick(random, "a", 6) : tests::pick(random, "u", 4);
    }
    if (random.one_in(2))
        event["context"]["consent"]["categoryPreferences"] = {
            {"Advertising", random.one_in(2)}, {"Email Marketing", random.one_in(3)}};
    return {event.dump(), random.one_in(3)};
}

struct Outcome {
    std::multiset<std::string> persons, links, consents, events;
    std::vector<std::string> answers;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::multiset<std::string> lines(PlatformWorld& world, cdp::ExportKind kind) {
    std::multiset<std::string> out;
    for (const auto& line : world.exported(kind)) out.insert(line.dump());
    return out;
}

Outcome run(const std::vector<Call>& calls) {
    PlatformWorld world;
    for (const auto& [body, server] : calls) {
        const auto kind = world.send_one(
            body, PlatformWorld::source(server ? "till" : "web",
                                        server ? cdp::Trust::server : cdp::Trust::client));
        REQUIRE((kind == "accepted" || kind == "duplicate"));
    }
    Outcome outcome{lines(world, cdp::ExportKind::persons),
                    lines(world, cdp::ExportKind::links),
                    lines(world, cdp::ExportKind::consents),
                    lines(world, cdp::ExportKind::events),
                    {}};
    const auto ask = [&](const std::string& type, const std::string& value) {
        outcome.answers.push_back(world.profile("ads_tool", type, value, "advertising").dump());
        outcome.answers.push_back(
            world.profile("email_tool", type, value, "email_marketing").dump());
        auto page = world.timeline("ads_tool", type, value, {.purpose = "advertising", .limit = 7});
        // A cursor is never the same twice.
        if (page.contains("next")) page["next"] = page["next"].is_null();
        outcome.answers.push_back(page.dump());
    };
    for (int i = 0; i < 6; ++i) ask("anonymous_id", "a" + std::to_string(i));
    for (int i = 0; i < 4; ++i) ask("user_id", "u" + std::to_string(i));
    for (int i = 0; i < 5; ++i) ask("email", "e" + std::to_string(i) + "@shop.example");
    return outcome;
}

}  // namespace

TEST_CASE("the same calls in any order, repeated and late, give the same people and answers") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    CHECK(tests::same_in_any_order(seed, 40, draw_call, run));
}

TEST_CASE("the comparison of orders notices a call that is missing") {
    int noticed = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        cdp::Random random(seed);
        auto said = tests::drawn(random, 40, draw_call);
        const auto whole = run(said);
        said.pop_back();
        noticed += !(run(said) == whole);
    }
    CHECK(noticed == 10);
}
