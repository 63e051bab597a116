#include <algorithm>
#include <set>

#include "cdp/base/random.h"
#include "tests/cdp/world.h"
#include "tests/support/seeds.h"

// The second promise, from outside: the same events and answers in any order, repeated and late,
// give the same people, the same evidence, the same consent and the same answers to every channel.

namespace {

using tests::PlatformWorld;

struct Call {
    std::string body;
    bool server = false;
};

class Calls {
public:
    explicit Calls(std::uint64_t seed) : random_(seed) {}

    std::vector<Call> make(std::size_t n) {
        std::vector<Call> calls;
        for (std::size_t i = 0; i < n; ++i) calls.push_back(make_one(i));
        return calls;
    }

    void shuffle(std::vector<Call>& calls) {
        for (std::size_t n = random_.below(calls.size()); n > 0; --n)
            calls.push_back(calls[random_.below(calls.size())]);
        for (std::size_t i = calls.size(); i > 1; --i)
            std::swap(calls[i - 1], calls[random_.below(i)]);
    }

private:
    std::string pick(const char* prefix, std::uint64_t n) {
        return prefix + std::to_string(random_.below(n));
    }

    Call make_one(std::size_t serial) {
        nlohmann::json event{
            {"messageId", "m" + std::to_string(serial)}, {"type", "track"}, {"event", "A"}};
        // Two days, so that stamps of one day contradict each other.
        char time[32];
        std::snprintf(time, sizeof time, "2026-11-%02d %02d:%02d:00Z",
                      static_cast<int>(19 + random_.below(2)), static_cast<int>(random_.below(24)),
                      static_cast<int>(random_.below(60)));
        event["timestamp"] = time;
        if (random_.one_in(2)) event["userId"] = pick("u", 4);
        if (!event.contains("userId") || !random_.one_in(3)) event["anonymousId"] = pick("a", 6);
        if (random_.one_in(3)) {
            event["type"] = "identify";
            event["traits"] = {{"plan", pick("plan", 3)},
                               {"email", pick("e", 5) + "@shop.example"}};
        } else if (event.contains("userId") && random_.one_in(6)) {
            event["type"] = "alias";
            event["previousId"] = random_.one_in(2) ? pick("a", 6) : pick("u", 4);
        }
        if (random_.one_in(2))
            event["context"]["consent"]["categoryPreferences"] = {
                {"Advertising", random_.one_in(2)}, {"Email Marketing", random_.one_in(3)}};
        return {event.dump(), random_.one_in(3)};
    }

    cdp::Random random_;
};

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
    Calls calls(seed);
    auto said = calls.make(40);
    const auto in_order = run(said);
    calls.shuffle(said);
    CHECK(run(said) == in_order);
}

TEST_CASE("the comparison of orders notices a call that is missing") {
    int noticed = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        auto said = Calls(seed).make(40);
        const auto whole = run(said);
        said.pop_back();
        noticed += !(run(said) == whole);
    }
    CHECK(noticed == 10);
}
