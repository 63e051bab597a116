#include "cdp/rule_simulation.h"

#include <set>

#include "cdp/base/random.h"
#include "identity/upkeep.h"
#include "tests/cdp/world.h"
#include "tests/support/seeds.h"

namespace {

using nlohmann::json;
using tests::PlatformWorld;

json simulated(PlatformWorld& world, const cdp::SimulationRequest& request,
               const identity::Report& report = {}) {
    const auto answer = world.platform().simulate(world.officer(), request, report);
    if (!answer) return {{"error", answer.error().reason}, {"pointer", answer.error().pointer}};
    return json::parse(*answer);
}

identity::IdentifierTypes with_user_ids(bool unique) {
    auto types = identity::IdentifierTypes::defaults();
    auto user = types.find("user_id");
    user.unique = unique;
    types.set(user);
    return types;
}

// Two accounts with one address, and somebody else.
void two_of_one(PlatformWorld& world) {
    for (const auto* user : {"u1", "u2"})
        world.send_one(json{{"type", "identify"},
                            {"messageId", user},
                            {"userId", user},
                            {"traits", {{"email", "a@shop.example"}}}}
                           .dump());
    world.send_one(R"({"type":"track","event":"A","messageId":"3","userId":"u3"})");
}

std::set<std::string> values(const json& person) {
    std::set<std::string> out;
    for (const auto& identifier : person["identifiers"]) out.insert(identifier["value"]);
    return out;
}

}  // namespace

TEST_CASE("the rules in force change nobody") {
    PlatformWorld world;
    two_of_one(world);
    const auto result = simulated(world, {.types = with_user_ids(true)});
    CHECK(result["identifiers"] == 4);
    CHECK(result["persons"] == json{{"before", 3}, {"after", 3}});
    CHECK(result["shared"] == json{{"before", 0}, {"after", 0}});
    CHECK(result["changes"] == json{{"merged", 0}, {"split", 0}, {"moved", 0}, {"redirected", 0}});
    CHECK(result["examples"].empty());
    CHECK(result["notes"].empty());
}

TEST_CASE("a simulation says who would merge, with examples, and writes nothing") {
    PlatformWorld world;
    two_of_one(world);
    const auto changes = [&] {
        return *storage::log_size(*world.store().snapshot(), identity::change_log());
    };
    const auto before = changes();
    const auto people = world.exported(cdp::ExportKind::persons);
    const auto result = simulated(world, {.types = with_user_ids(false)});
    CHECK(result["persons"] == json{{"before", 3}, {"after", 2}});
    CHECK(result["changes"]["merged"] == 1);
    REQUIRE(result["examples"].size() == 1);
    const auto& example = result["examples"][0];
    CHECK(example["kind"] == "merged");
    CHECK(example["from"]["person"] != example["to"][0]["person"]);
    CHECK(values(example["to"][0]) == std::set<std::string>{"a@shop.example", "u1", "u2"});
    CHECK(example["from"]["identifiers"].size() < 3);
    CHECK(world.exported(cdp::ExportKind::persons) == people);
    CHECK(changes() == before);
    CHECK(simulated(world, {.types = with_user_ids(false), .examples = 0})["examples"].empty());
}

TEST_CASE("a long list is cut and says how much longer it is") {
    PlatformWorld world;
    for (int i = 0; i < 15; ++i)
        world.send_one(json{{"type", "identify"},
                            {"messageId", "m" + std::to_string(i)},
                            {"userId", i < 14 ? "u1" : "u2"},
                            {"anonymousId", "a" + std::to_string(i)},
                            {"traits", {{"email", "a@shop.example"}}}}
                           .dump());
    const auto result = simulated(world, {.types = with_user_ids(false)});
    REQUIRE(result["changes"]["merged"] == 1);
    const auto& merged = result["examples"][0]["to"][0];
    CHECK(merged["identifiers"].size() == 10);
    CHECK(merged["more"] == 8);  // two accounts, an address, fifteen cookies
}

TEST_CASE("a sample folds what it names and whatever that is connected to") {
    PlatformWorld world;
    two_of_one(world);
    const auto result =
        simulated(world, {.types = with_user_ids(false), .identifiers = {{"user_id", "u1"}}});
    CHECK(result["identifiers"] == 3);
    CHECK(simulated(world, {.types = with_user_ids(false),
                            .identifiers = {{"user_id", "u3"}}})["identifiers"] == 1);
    CHECK(simulated(world, {.types = with_user_ids(false), .part = 1e-9})["identifiers"] == 0);
}

TEST_CASE("a sample of somebody who was never seen is refused") {
    PlatformWorld world;
    two_of_one(world);
    struct Row {
        const char* type;
        const char* value;
        const char* reason;
        const char* pointer;
    };
    for (const auto& row : std::initializer_list<Row>{
             {"user_id", "u9", "identifier_unknown", "/sample/identifiers/1"},
             {"no_such_type", "u1", "identifier_unknown", "/sample/identifiers/1"},
             {"user_id", "null", "identifier_unknown", "/sample/identifiers/1"},
             {"person", "00", "malformed_identifier", "/sample/identifiers/1/value"},
             {"email", "nobody", "malformed_identifier", "/sample/identifiers/1/value"}}) {
        CAPTURE(row.type, row.value);
        const auto result =
            simulated(world, {.types = with_user_ids(true),
                              .identifiers = {{"user_id", "u1"}, {row.type, row.value}}});
        CHECK(result["error"] == row.reason);
        CHECK(result["pointer"] == row.pointer);
    }
}

TEST_CASE("one simulation runs at a time, and one that is stopped makes room") {
    PlatformWorld world;
    two_of_one(world);
    const cdp::SimulationRequest request{.types = with_user_ids(false)};
    json second;
    const auto first = simulated(world, request, [&](const identity::Progress& progress) {
        CHECK(progress.identifiers == 0);
        second = simulated(world, request);
        return false;
    });
    CHECK(second["error"] == "simulation_running");
    CHECK(first["error"] == "stopped");
    CHECK(simulated(world, request).contains("persons"));
}

TEST_CASE("what stored evidence cannot show is said") {
    PlatformWorld world;
    auto types = identity::IdentifierTypes::defaults();
    types.set({.name = "member_no",
               .link_class = identity::LinkClass::account,
               .form = identity::Form::device,
               .shared_at_accounts = 10,
               .blocked = {"1"}});
    std::set<std::string> settings;
    const auto result = simulated(world, {.types = types});
    for (const auto& note : result["notes"]) {
        CHECK(note["type"] == "member_no");
        settings.insert(note["setting"]);
    }
    CHECK(settings == std::set<std::string>{"blocked", "class", "form"});
}

namespace {

std::string random_event(cdp::Random& random, int serial) {
    const auto pick = [&](const char* prefix, std::uint64_t n) {
        return prefix + std::to_string(random.below(n));
    };
    json out{{"messageId", "m" + std::to_string(serial)}, {"type", "identify"}};
    if (!random.one_in(3)) out["userId"] = pick("u", 5);
    if (!out.contains("userId") || random.one_in(2)) out["anonymousId"] = pick("a", 8);
    if (random.one_in(2)) out["traits"] = {{"email", pick("e", 5) + "@shop.example"}};
    return out.dump();
}

identity::IdentifierTypes random_rules(cdp::Random& random) {
    auto types = with_user_ids(random.one_in(2));
    for (const auto* name : {"anonymous_id", "email"}) {
        auto type = types.find(name);
        type.shared_at_accounts = random.one_in(2) ? 2 : 0;
        type.limit = static_cast<std::uint16_t>(random.below(3));
        types.set(type);
    }
    return types;
}

}  // namespace

TEST_CASE("what is simulated is what a start with those rules does") {
    const auto seed = GENERATE(tests::seeds(40));
    CAPTURE(seed);
    cdp::Random random(seed);
    PlatformWorld world;
    for (int i = 0; i < 40; ++i) world.send_one(random_event(random, i));
    cdp::Config config;
    config.types = random_rules(random);
    const auto told = simulated(world, {.types = config.types, .examples = 100});
    CHECK(told["persons"]["before"] == world.exported(cdp::ExportKind::persons).size());

    world.restart(config);
    const identity::Graph graph(world.store(), world.vault(), config.types);
    const identity::Upkeep upkeep(world.store(), world.vault(), graph, config.types, world.clock());
    REQUIRE(upkeep.catch_up({}));
    const auto people = world.exported(cdp::ExportKind::persons);
    CHECK(told["persons"]["after"] == people.size());
    for (const auto& example : told["examples"])
        for (const auto& person : example["to"]) {
            if (person.contains("more")) continue;
            std::set<std::string> found;
            for (const auto& line : people)
                if (line["person"] == person["person"]) found = values(line);
            CHECK(found == values(person));
        }
    const auto again = simulated(world, {.types = config.types});
    CHECK(again["persons"]["before"] == told["persons"]["after"]);
    CHECK(again["persons"]["after"] == told["persons"]["after"]);
    CHECK(again["shared"]["before"] == told["shared"]["after"]);
    CHECK(again["examples"].empty());
}
