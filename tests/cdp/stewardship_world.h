#pragma once

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "cdp/base/random.h"
#include "cdp/stewardship.h"
#include "storage/key.h"
#include "tests/cdp/world.h"
#include "tests/support/forwarding_store.h"

// Streams of events, and what is said about who sent them.
namespace tests {

using nlohmann::json;

// With a channel that may see every event and what was bought, whatever was said.
inline cdp::Config open_config() {
    return config_with_desk({"service"}, {{"behaviour"}, {"contact.email"}, {"commerce"}});
}

inline cdp::AssertionRequest request(const std::string& kind,
                                     std::vector<cdp::AssertionRequest::Subject> identifiers = {}) {
    cdp::AssertionRequest out;
    out.kind = kind;
    out.identifiers = std::move(identifiers);
    out.reason = "asked for by the customer";
    out.author = "steward:kim";
    return out;
}

inline json say(PlatformWorld& world, const cdp::AssertionRequest& asked) {
    const auto answer = world.platform().stewardship().say(asked);
    if (!answer) return {{"error", answer.error().reason}, {"pointer", answer.error().pointer}};
    return json::parse(answer->json);
}

inline json revoke(PlatformWorld& world, const std::string& id) {
    const auto answer =
        world.platform().stewardship().revoke(id, "steward:kim", "it was a mistake");
    if (!answer) return {{"error", answer.error().reason}};
    return json::parse(*answer);
}

inline std::set<std::string> canonical(PlatformWorld& world, cdp::ExportKind kind) {
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

inline Picture picture(PlatformWorld& world) {
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
inline std::vector<Sent> random_events(cdp::Random& random, std::size_t count) {
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

inline void send(PlatformWorld& world, const Sent& sent) {
    world.send_one(sent.event.dump(), PlatformWorld::source(sent.source));
}

inline void send(PlatformWorld& world, const std::vector<Sent>& all) {
    for (const auto& sent : all) send(world, sent);
}

// Some identifier of the stream.
inline cdp::AssertionRequest::Subject random_subject(cdp::Random& random, PlatformWorld& world) {
    const auto persons = world.exported(cdp::ExportKind::persons);
    const auto& ids = persons[random.below(persons.size())]["identifiers"];
    const auto& one = ids[random.below(ids.size())];
    return {one["type"], one["value"]};
}

inline cdp::AssertionRequest random_request(cdp::Random& random, PlatformWorld& world,
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
inline std::vector<json> apart(const json& event) {
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
class InterposingStore final : public ForwardingStore {
public:
    std::function<void()> next;

    void commit(std::vector<storage::Transaction> transactions, storage::Committed done) override {
        if (const auto happen = std::exchange(next, nullptr)) happen();
        ForwardingStore::commit(std::move(transactions), std::move(done));
    }
};

}  // namespace tests
