#pragma once

#include <algorithm>
#include <cstdio>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cdp/base/random.h"
#include "tests/cdp/world.h"
#include "tests/support/any_order.h"

// Random calls of a few people, and everything that is seen of a world they were told to: for
// promises that hold whatever else happens.
namespace tests {

struct Call {
    std::string body;
    bool server = false;
};

// On one of the days, given as 2026-11-20; few of them, so that stamps of one day contradict each
// other.
inline Call draw_call(cdp::Random& random, std::size_t serial, std::span<const char* const> days) {
    char time[16];
    std::snprintf(time, sizeof time, "T%02d:%02d:00Z", static_cast<int>(random.below(24)),
                  static_cast<int>(random.below(60)));
    nlohmann::json event{{"messageId", "m" + std::to_string(serial)},
                         {"type", "track"},
                         {"event", random.one_in(4) ? "Order Completed" : "Looked"},
                         {"properties", {{"revenue", serial}, {"name", "a name"}}},
                         {"timestamp", std::string(days[random.below(days.size())]) + time}};
    if (random.one_in(2)) event["userId"] = pick(random, "u", 4);
    if (!event.contains("userId") || !random.one_in(3)) event["anonymousId"] = pick(random, "a", 6);
    if (random.one_in(3)) {
        event["type"] = "identify";
        event["traits"] = {{"plan", pick(random, "plan", 3)},
                           {"tier", pick(random, "tier", 3)},
                           {"email", pick(random, "e", 5) + "@shop.example"}};
    } else if (random.one_in(5)) {
        event["type"] = "group";
        event["groupId"] = pick(random, "g", 2);
        event["traits"] = {{"name", pick(random, "name", 3)}};
    } else if (event.contains("userId") && random.one_in(6)) {
        event["type"] = "alias";
        event["previousId"] = random.one_in(2) ? pick(random, "a", 6) : pick(random, "u", 4);
    }
    if (random.one_in(3))
        event["context"]["consent"]["categoryPreferences"] = {
            {"Advertising", random.one_in(2)}, {"Email Marketing", random.one_in(3)}};
    return {event.dump(), random.one_in(3)};
}

void tell(PlatformWorld& world, const std::vector<Call>& calls, const auto& between) {
    for (const auto& [body, server] : calls) {
        const auto kind = world.send_one(
            body, PlatformWorld::source(server ? "till" : "web",
                                        server ? cdp::Trust::server : cdp::Trust::client));
        REQUIRE((kind == "accepted" || kind == "duplicate"));
        between();
    }
}

inline std::multiset<std::string> lines(PlatformWorld& world, cdp::ExportKind kind) {
    std::multiset<std::string> out;
    for (const auto& line : world.exported(kind)) out.insert(line.dump());
    return out;
}

struct Outcome {
    std::multiset<std::string> persons, links, consents, groups, events;
    std::vector<std::string> answers;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

// What the answers of an outcome are, and what of them is not compared.
struct Asking {
    std::vector<std::pair<const char*, const char*>> channels = {
        {"ads_tool", "advertising"}, {"email_tool", "email_marketing"}};  // and purposes
    std::size_t page = 7;
    std::vector<const char*> but = {};
};

inline Outcome seen_of(PlatformWorld& world, const Asking& asking) {
    Outcome outcome{lines(world, cdp::ExportKind::persons),  lines(world, cdp::ExportKind::links),
                    lines(world, cdp::ExportKind::consents), lines(world, cdp::ExportKind::groups),
                    lines(world, cdp::ExportKind::events),   {}};
    const auto ask = [&](const std::string& type, const std::string& value) {
        for (const auto& [channel, purpose] : asking.channels) {
            auto profile = world.profile(channel, type, value, purpose);
            auto page =
                world.timeline(channel, type, value, {.purpose = purpose, .limit = asking.page});
            // A cursor is never the same twice.
            if (page.contains("next")) page["next"] = page["next"].is_null();
            for (auto* answer : {&profile, &page}) {
                for (const auto* member : asking.but) answer->erase(member);
                outcome.answers.push_back(answer->dump());
            }
        }
    };
    for (int i = 0; i < 6; ++i) ask("anonymous_id", "a" + std::to_string(i));
    for (int i = 0; i < 4; ++i) ask("user_id", "u" + std::to_string(i));
    for (int i = 0; i < 5; ++i) ask("email", "e" + std::to_string(i) + "@shop.example");
    return outcome;
}

// Empty when they are the same.
inline std::string first_difference(const Outcome& a, const Outcome& b) {
    const auto missing = [](const auto& x, const auto& y) {
        for (const auto& line : x)
            if (x.count(line) != y.count(line)) return line;
        return std::string();
    };
    for (const auto part : {&Outcome::persons, &Outcome::links, &Outcome::consents,
                            &Outcome::groups, &Outcome::events})
        if (a.*part != b.*part)
            return missing(a.*part, b.*part) + " / " + missing(b.*part, a.*part);
    for (std::size_t i = 0; i < a.answers.size(); ++i)
        if (a.answers[i] != b.answers[i]) return a.answers[i] + "\n" + b.answers[i];
    return "";
}

}  // namespace tests
