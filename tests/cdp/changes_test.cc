#include "cdp/changes.h"

#include <map>
#include <set>

#include "cdp/base/random.h"
#include "identity/upkeep.h"
#include "tests/cdp/world.h"
#include "tests/support/seeds.h"

namespace {

using nlohmann::json;
using tests::PlatformWorld;

const cdp::Principal kSteward{cdp::Role::steward, "steward", "", cdp::Trust::client};

json page(PlatformWorld& world, const cdp::ChangesQuery& query,
          const cdp::Principal& reader = kSteward) {
    const auto answer = world.platform().changes({.who = reader}, query);
    if (!answer) return {{"error", answer.error().reason}};
    return json::parse(*answer);
}

// What a consumer reads that polls from there on.
std::vector<json> feed(PlatformWorld& world, std::uint64_t after, std::size_t limit = 7) {
    std::vector<json> out;
    for (;;) {
        const auto read = page(world, {.after = std::to_string(after), .limit = limit});
        REQUIRE(read.contains("changes"));
        for (const auto& change : read["changes"]) {
            CHECK(change["version"] == ++after);
            out.push_back(change);
        }
        CHECK(read["next"] == after);
        if (read["end"]) return out;
    }
}

// A cookie becomes a customer's, and then turns out to be several people's.
void become_and_share(PlatformWorld& world) {
    world.send_one(R"({"type":"track","event":"A","messageId":"1","anonymousId":"a1"})");
    world.send_one(R"({"type":"track","event":"A","messageId":"2","userId":"u1"})");
    world.send_one(R"({"type":"identify","messageId":"3","userId":"u1","anonymousId":"a1"})");
    world.send_one(R"({"type":"identify","messageId":"4","userId":"u2","anonymousId":"a1"})");
}

std::string person_of(PlatformWorld& world, const std::string& type, const std::string& value) {
    return world.profile("ads_tool", type, value, "advertising").value("person", "");
}

}  // namespace

TEST_CASE("the feed tells what became of persons, in order and with its cause") {
    PlatformWorld world;
    CHECK(page(world, {}) == json{{"changes", json::array()}, {"next", 0}, {"end", true}});
    become_and_share(world);
    const auto changes = feed(world, 0);
    REQUIRE(changes.size() == 2);
    const auto& merged = changes[0];
    CHECK(merged["kind"] == "merged");
    CHECK(merged["to"] == json::array({person_of(world, "user_id", "u1")}));
    CHECK(merged["identifiers"] == 1);
    CHECK(merged["cause"] == "evidence");
    CHECK(merged["time"] == "2026-11-21T12:00:00.000Z");
    CHECK_FALSE(merged.contains("assertion"));
    const auto& split = changes[1];
    CHECK(split["kind"] == "split");
    CHECK(split["from"] == person_of(world, "user_id", "u1"));
    CHECK(split["to"].size() == 2);
}

TEST_CASE("a channel is told ids and nothing more") {
    PlatformWorld world;
    become_and_share(world);
    const auto read = page(world, {}, PlatformWorld::channel("ads_tool"));
    REQUIRE(read["changes"].size() == 2);
    for (const auto& change : read["changes"]) {
        std::set<std::string> members;
        for (const auto& [name, value] : change.items()) members.insert(name);
        CHECK(members == std::set<std::string>{"version", "kind", "from", "to", "time"});
    }
    const auto whole = page(world, {});
    for (std::size_t i = 0; i < 2; ++i)
        for (const auto* name : {"version", "kind", "from", "to", "time"})
            CHECK(read["changes"][i][name] == whole["changes"][i][name]);
    CHECK(read["next"] == 2);
    CHECK(read["end"] == true);
}

TEST_CASE("a channel without a purpose, or that is not configured, reads no feed") {
    cdp::Config config;
    config.policy.channels.push_back({.id = "idle"});
    PlatformWorld world(config);
    CHECK(page(world, {}, PlatformWorld::channel("idle"))["error"] == "channel_unknown");
    CHECK(page(world, {}, PlatformWorld::channel("gone"))["error"] == "channel_unknown");
}

TEST_CASE("a reader goes on where it stopped, or starts with what is to come") {
    PlatformWorld world;
    become_and_share(world);
    const auto first = page(world, {.limit = 1});
    CHECK(first["next"] == 1);
    CHECK(first["end"] == false);
    const auto second = page(world, {.after = "1", .limit = 1});
    CHECK(second["changes"][0]["version"] == 2);
    CHECK(second["end"] == true);
    const auto latest = page(world, {.after = "latest"});
    CHECK(latest == json{{"changes", json::array()}, {"next", 2}, {"end", true}});
    world.send_one(R"({"type":"track","event":"A","messageId":"5","anonymousId":"a2"})");
    world.send_one(R"({"type":"identify","messageId":"6","userId":"u1","anonymousId":"a2"})");
    CHECK(feed(world, latest["next"]).size() == 1);
}

TEST_CASE("a place that the feed does not have is refused") {
    PlatformWorld world;
    become_and_share(world);
    for (const auto* after : {"x", "-1", "1x", "99999999999999999999999", "late"}) {
        CAPTURE(after);
        CHECK(page(world, {.after = after})["error"] == "malformed_cursor");
    }
    CHECK(page(world, {.after = "3"})["error"] == "version_unknown");
    CHECK(page(world, {.limit = 0})["error"] == "limit_out_of_range");
    CHECK(page(world, {.limit = 1001})["error"] == "limit_out_of_range");
}

namespace {

using Id = std::string;

// identifier -> person
std::map<std::string, Id> persons(PlatformWorld& world) {
    std::map<std::string, Id> out;
    for (const auto& line : world.exported(cdp::ExportKind::persons))
        for (const auto& identifier : line["identifiers"])
            out[identifier.dump()] = line["person"].get<Id>();
    return out;
}

// What a consumer knows of an id it once stored: whom it may be now.
struct Known {
    std::set<Id> candidates;
    bool certain = true;  // nothing but merges and redirects
};

Known follow(const Id& id, const std::vector<json>& changes, std::size_t from) {
    Known out{{id}, true};
    for (std::size_t i = from; i < changes.size(); ++i) {
        const auto& change = changes[i];
        const auto kind = change["kind"].get<std::string>();
        if (!out.candidates.contains(change["from"])) continue;
        // The id still stands for the identifier it is derived from, and that may have gone with
        // another change of the same commit.
        if (kind == "moved" || kind == "split")
            out.certain = false;
        else
            out.candidates.erase(change["from"].get<Id>());
        for (const auto& to : change["to"]) out.candidates.insert(to.get<Id>());
    }
    return out;
}

// A stream of events and of other rules, and who was who after each.
class History {
public:
    explicit History(std::uint64_t seed) : random_(seed) {}

    void run(PlatformWorld& world, int steps) {
        for (int i = 0; i < steps; ++i) {
            world.clock().advance(std::chrono::seconds(1));
            if (random_.one_in(12))
                change_rules(world);
            else
                REQUIRE(world.send_one(event(i)) == "accepted");
            seen_.push_back({feed(world, 0).size(), persons(world)});
        }
    }

    struct Moment {
        std::size_t changes;
        std::map<std::string, Id> persons;
    };
    const std::vector<Moment>& moments() const { return seen_; }

private:
    std::string pick(const char* prefix, std::uint64_t n) {
        return prefix + std::to_string(random_.below(n));
    }

    std::string event(int serial) {
        json out{{"messageId", "m" + std::to_string(serial)}, {"type", "track"}, {"event", "A"}};
        if (random_.one_in(2)) out["userId"] = pick("u", 5);
        if (!out.contains("userId") || !random_.one_in(3)) out["anonymousId"] = pick("a", 8);
        if (random_.one_in(3)) {
            out["type"] = "identify";
            out["traits"] = {{"email", pick("e", 5) + "@shop.example"}};
        } else if (out.contains("userId") && random_.one_in(6)) {
            out["type"] = "alias";
            out["previousId"] = random_.one_in(2) ? pick("a", 8) : pick("u", 5);
        }
        return out.dump();
    }

    void change_rules(PlatformWorld& world) {
        cdp::Config config;
        auto user = config.types.find("user_id");
        user.unique = random_.one_in(2);
        config.types.set(user);
        auto cookie = config.types.find("anonymous_id");
        cookie.shared_at_accounts = random_.one_in(2) ? 2 : 0;
        config.types.set(cookie);
        world.restart(config);
        const identity::Graph graph(world.store(), world.vault(), config.types);
        const identity::Upkeep upkeep(world.store(), world.vault(), graph, config.types,
                                      world.clock());
        REQUIRE(upkeep.catch_up({}));
    }

    cdp::Random random_;
    std::vector<Moment> seen_;
};

// Whether the feed, read from any moment on, says of every id that was a person then whose its
// identifiers are now.
bool tells(const std::vector<History::Moment>& moments, const std::vector<json>& changes) {
    const auto& now = moments.back().persons;
    for (const auto& moment : moments)
        for (const auto& [identifier, person] : moment.persons) {
            const auto present = now.find(identifier);
            if (present == now.end()) continue;  // a candidate that does not count any more
            const auto known = follow(person, changes, moment.changes);
            if (!known.candidates.contains(present->second)) return false;
            if (known.certain && known.candidates.size() != 1) return false;
        }
    return true;
}

}  // namespace

TEST_CASE("from any cursor the feed leads from every person id to the present person") {
    const auto seed = GENERATE(tests::seeds(40));
    CAPTURE(seed);
    PlatformWorld world;
    History history(seed);
    history.run(world, 40);
    const auto changes = feed(world, 0);
    CHECK(tells(history.moments(), changes));

    std::set<Id> present;
    for (const auto& [identifier, person] : persons(world)) present.insert(person);
    for (const auto& moment : history.moments())
        for (const auto& [identifier, id] : moment.persons) {
            const auto resolved = person_of(world, "person", id);
            CAPTURE(identifier, id, resolved, changes.size(), moment.changes);
            CHECK(present.contains(resolved));
            CHECK(follow(id, changes, moment.changes).candidates.contains(resolved));
        }
}

TEST_CASE("the check of the feed notices a change that is missing") {
    int noticed = 0;
    int tried = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        PlatformWorld world;
        History history(seed);
        history.run(world, 25);
        auto changes = feed(world, 0);
        if (changes.empty()) continue;
        ++tried;
        changes.back() = {{"kind", "merged"}, {"from", ""}, {"to", json::array()}};
        noticed += !tells(history.moments(), changes);
    }
    CHECK(tried >= 8);
    CHECK(noticed >= tried / 2);
}
