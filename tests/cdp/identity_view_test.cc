#include <algorithm>
#include <set>

#include "cdp/assertion_request.h"
#include "cdp/base/random.h"
#include "cdp/source_names.h"
#include "cdp/stewardship.h"
#include "tests/cdp/world.h"
#include "tests/support/seeds.h"

// Why two identifiers are one person, with evidence and events, and what a person's graph is.

namespace {

using nlohmann::json;
using tests::PlatformWorld;

json explained(PlatformWorld& world, const std::string& a_type, const std::string& a,
               const std::string& b_type, const std::string& b) {
    const auto answer = world.platform().explain(world.officer(), {a_type, a}, {b_type, b});
    if (!answer) return {{"error", answer.error().reason}, {"pointer", answer.error().pointer}};
    return json::parse(*answer);
}

json graph_of(PlatformWorld& world, const std::string& type, const std::string& value,
              std::optional<cdp::Timestamp> as_of = {}) {
    const auto answer = world.platform().identity_of(world.officer(), {type, value}, as_of);
    if (!answer) return {{"error", answer.error().reason}, {"pointer", answer.error().pointer}};
    return json::parse(*answer);
}

struct Seen {
    std::string user = "";
    std::string cookie = "";
    std::string email = "";
    std::string day = "2026-11-18";
};

std::string event(const std::string& message, const Seen& seen) {
    json out{{"type", "identify"}, {"messageId", message}, {"timestamp", seen.day + "T10:00:00Z"}};
    if (!seen.user.empty()) out["userId"] = seen.user;
    if (!seen.cookie.empty()) out["anonymousId"] = seen.cookie;
    if (!seen.email.empty()) out["traits"]["email"] = seen.email;
    return out.dump();
}

std::string say(PlatformWorld& world, const std::string& kind,
                std::vector<cdp::AssertionRequest::Subject> identifiers) {
    cdp::AssertionRequest request;
    request.kind = kind;
    request.identifiers = std::move(identifiers);
    request.reason = "a test";
    request.author = "steward:test";
    const auto said = world.platform().stewardship().say(request);
    REQUIRE(said);
    return json::parse(said->json).at("id");
}

std::set<std::string> values_of(const json& list) {
    std::set<std::string> out;
    for (const auto& one : list) out.insert(one.at("value").get<std::string>());
    return out;
}

}  // namespace

TEST_CASE("each hop of one person has its class, days, sources and sample events") {
    PlatformWorld world;
    const auto day = [](int n) { return "2026-11-1" + std::to_string(n); };
    for (int n = 0; n < 5; ++n)
        world.send_one(event("m" + std::to_string(n), {"u1", "", "a@shop.example", day(n)}),
                       PlatformWorld::source(n == 1 ? "app" : "web"));
    world.send_one(event("m9", {"", "c1", "a@shop.example", day(3)}));
    const auto answer = explained(world, "user_id", "u1", "anonymous_id", "c1");
    CHECK(answer.at("same_person") == true);
    CHECK(answer.at("person") == graph_of(world, "user_id", "u1").at("person"));
    CHECK(answer.at("refused").empty());
    CHECK(answer.at("weakest") == 1);
    const auto& path = answer.at("path");
    REQUIRE(path.size() == 2);
    CHECK(path[0].at("from") == json{{"type", "user_id"}, {"value", "u1"}});
    CHECK(path[0].at("to") == json{{"type", "email"}, {"value", "a@shop.example"}});
    CHECK(path[0].at("joined") == true);
    CHECK(path[0].at("class") == "unverified_contact");
    CHECK(path[0].at("first_seen") == "2026-11-10");
    CHECK(path[0].at("last_seen") == "2026-11-14");
    CHECK(path[0].at("days") == 5);
    const auto& sources = path[0].at("sources");
    CHECK(std::set<std::string>(sources.begin(), sources.end()) ==
          std::set<std::string>{"app", "web"});
    REQUIRE(path[0].at("events").size() == 3);
    CHECK(path[0].at("events")[0].at("message_id") == "m4");
    CHECK(path[0].at("events")[0].at("source") == "web");
    CHECK(path[0].at("events")[0].at("time") == "2026-11-14T10:00:00.000Z");
    CHECK(path[0].at("events")[0].at("type") == "identify");
    CHECK(path[0].at("events")[1].at("message_id") == "m3");
    CHECK(path[0].at("events")[2].at("message_id") == "m2");
    CHECK(path[0].at("bridge") == true);
    REQUIRE(path[1].at("events").size() == 1);
    CHECK(path[1].at("events")[0].at("message_id") == "m9");
}

TEST_CASE("one identifier is one person without any hop") {
    PlatformWorld world;
    world.send_one(event("m1", {.user = "u1"}));
    const auto answer = explained(world, "user_id", "u1", "user_id", "u1");
    CHECK(answer.at("same_person") == true);
    CHECK(answer.at("path").empty());
    CHECK(answer.at("weakest").is_null());
}

TEST_CASE("an event that is filed under a third identifier is a sample too") {
    PlatformWorld world;
    world.send_one(event("m1", {"u1", "c1", "a@shop.example"}));
    say(world, "block", {{"user_id", "u1"}});
    const auto answer = explained(world, "email", "a@shop.example", "anonymous_id", "c1");
    REQUIRE(answer.at("path").size() == 1);
    CHECK(answer.at("path")[0].at("events").at(0).at("message_id") == "m1");
}

TEST_CASE("a sample is found among very many events that only one of the two was in") {
    PlatformWorld world;
    world.send_one(event("first", {"u1", "c1", "", "2026-11-01"}));
    world.send_one(event("last", {"u1", "c1", "", "2026-11-20"}));
    std::string batch = R"({"batch":[)";
    for (int n = 0; n < 900; ++n)
        batch +=
            (n ? "," : "") + event("n" + std::to_string(n), {.user = "u1", .day = "2026-11-10"});
    world.send(batch + "]}");
    const auto answer = explained(world, "user_id", "u1", "anonymous_id", "c1");
    const auto& events = answer.at("path").at(0).at("events");
    REQUIRE(events.size() == 2);
    CHECK(events[0].at("message_id") == "last");
    CHECK(events[1].at("message_id") == "first");
}

TEST_CASE("two accounts of one address are apart by the type, and by name") {
    PlatformWorld world;
    world.send_one(event("m1", {"u1", "", "a@shop.example", "2026-11-10"}));
    world.send_one(event("m2", {"u1", "", "a@shop.example", "2026-11-11"}));
    world.send_one(event("m3", {"u2", "", "a@shop.example", "2026-11-12"}));
    const auto answer = explained(world, "user_id", "u1", "user_id", "u2");
    CHECK(answer.at("same_person") == false);
    CHECK(answer.at("connected") == true);
    CHECK(answer.at("persons").size() == 2);
    CHECK(answer.at("persons")[0] != answer.at("persons")[1]);
    REQUIRE(answer.at("path").size() == 2);
    CHECK(answer.at("path")[0].at("joined") == true);
    CHECK(answer.at("path")[1].at("joined") == false);
    CHECK(answer.at("path")[1].at("events").at(0).at("message_id") == "m3");
    REQUIRE(answer.at("refused").size() == 1);
    const auto& refused = answer.at("refused")[0];
    CHECK(refused.at("hop") == 1);
    CHECK(refused.at("reason") == "unique_type");
    CHECK(refused.at("most") == 1);
    CHECK(values_of(refused.at("between")[0]) == std::set<std::string>{"u1"});
    CHECK(values_of(refused.at("between")[1]) == std::set<std::string>{"u2"});
}

TEST_CASE("what is asserted is named by its id, and what it changed") {
    PlatformWorld world;
    world.send_one(event("m1", {"u1", "c1", ""}));
    world.send_one(event("m2", {.user = "u2"}));

    const auto must = say(world, "must_link", {{"user_id", "u1"}, {"user_id", "u2"}});
    const auto linked = explained(world, "anonymous_id", "c1", "user_id", "u2");
    REQUIRE(linked.at("same_person") == true);
    CHECK(linked.at("path")[1].at("class") == "assertion");
    CHECK(linked.at("path")[1].at("assertions") == json{must});
    CHECK(graph_of(world, "user_id", "u1").at("assertions") == json{must});
    REQUIRE(world.platform().stewardship().revoke(must, "steward:test", "a mistake"));

    const auto cannot = say(world, "cannot_link", {{"user_id", "u1"}, {"anonymous_id", "c1"}});
    const auto apart = explained(world, "anonymous_id", "c1", "user_id", "u1");
    CHECK(apart.at("same_person") == false);
    CHECK(apart.at("refused").at(0).at("reason") == "cannot_link");
    CHECK(apart.at("refused").at(0).at("assertions") == json{cannot});
    REQUIRE(world.platform().stewardship().revoke(cannot, "steward:test", "a mistake"));

    const auto block = say(world, "block", {{"anonymous_id", "c1"}});
    const auto blocked = explained(world, "anonymous_id", "c1", "user_id", "u1");
    CHECK(blocked.at("refused").at(0).at("reason") == "blocked");
    CHECK(blocked.at("refused").at(0).at("outside").at(0).at("assertions") == json{block});
    REQUIRE(world.platform().stewardship().revoke(block, "steward:test", "a mistake"));

    const auto retract = say(world, "retract", {{"user_id", "u1"}, {"anonymous_id", "c1"}});
    const auto retracted = explained(world, "anonymous_id", "c1", "user_id", "u1");
    CHECK(retracted.at("same_person") == false);
    CHECK(retracted.at("refused").at(0).at("reason") == "retracted");
    CHECK(retracted.at("refused").at(0).at("assertions") == json{retract});
    REQUIRE(world.platform().stewardship().revoke(retract, "steward:test", "a mistake"));
    CHECK(explained(world, "anonymous_id", "c1", "user_id", "u1").at("same_person") == true);
}

namespace {

// One of the ways to take back what the event m1 of the source web said on 2026-11-18.
std::string take_back(PlatformWorld& world, const std::string& way) {
    cdp::AssertionRequest request;
    request.kind = "retract";
    request.reason = "the till was left logged in";
    request.author = "steward:test";
    if (way == "pair") request.identifiers = {{"user_id", "u1"}, {"anonymous_id", "c1"}};
    if (way == "event") request.events = {{"web", "m1"}};
    if (way == "days" || way == "hours") request.source = "web";
    if (way == "days") request.from = request.to = "2026-11-18";
    if (way == "hours") request.from = "2026-11-18T09:00:00Z";
    if (way == "hours") request.to = "2026-11-18T11:00:00Z";
    const auto said = world.platform().stewardship().say(request);
    REQUIRE(said);
    return json::parse(said->json).at("id");
}

}  // namespace

TEST_CASE("a link that was taken back is refused by the name of what took it") {
    const auto* way = GENERATE("pair", "event", "days", "hours");
    CAPTURE(way);
    PlatformWorld world;
    world.send_one(event("m1", {"u1", "c1", ""}));
    world.send_one(event("m2", {"", "c1", "a@shop.example", "2026-11-17"}));
    const auto before = graph_of(world, "user_id", "u1");
    const auto id = take_back(world, way);

    for (const auto& [type, value] :
         {std::pair{"anonymous_id", "c1"}, std::pair{"email", "a@shop.example"}}) {
        const auto answer = explained(world, "user_id", "u1", type, value);
        CHECK(answer.at("connected") == true);
        REQUIRE(answer.at("refused").size() == 1);
        const auto& refusal = answer.at("refused")[0];
        CHECK(refusal.at("reason") == "retracted");
        CHECK(refusal.at("assertions") == json{id});
        CHECK(refusal.at("said") == json::array({{{"assertion", id},
                                                  {"kind", "retract"},
                                                  {"author", "steward:test"},
                                                  {"reason", "the till was left logged in"},
                                                  {"time", "2026-11-21T12:00:00.000Z"}}}));
        CHECK(answer.at("path")[0].at("first_seen") == "2026-11-18");
        CHECK(answer.at("path")[0].at("sources") == json{"web"});
    }
    for (const auto& [type, value] :
         {std::pair{"user_id", "u1"}, std::pair{"anonymous_id", "c1"}}) {
        const auto graph = graph_of(world, type, value);
        REQUIRE(graph.at("refused").size() == 1);
        const auto& link = graph.at("refused")[0];
        CHECK(link.at("reason") == "retracted");
        CHECK(link.at("assertions") == json{id});
        CHECK(values_of({link.at("a"), link.at("b")}) == std::set<std::string>{"u1", "c1"});
        CHECK(graph.at("assertions") == json{id});
    }

    REQUIRE(world.platform().stewardship().revoke(id, "steward:test", "a mistake"));
    auto after = graph_of(world, "user_id", "u1");
    CHECK(after.at("links") == before.at("links"));
    CHECK(after.at("refused").empty());
    CHECK(after.at("assertions").empty());
    CHECK(explained(world, "user_id", "u1", "anonymous_id", "c1").at("same_person") == true);
}

TEST_CASE("a way that was taken back hop by hop is found through who is nobody's now") {
    const auto* way = GENERATE("events", "days");
    CAPTURE(way);
    PlatformWorld world;
    world.send_one(event("m1", {"u1", "c1", ""}));
    world.send_one(event("m2", {"", "c1", "a@shop.example"}));
    world.send_one(event("m3", {.user = "u9"}));
    cdp::AssertionRequest request;
    request.kind = "retract";
    request.reason = "a test";
    request.author = "steward:test";
    if (way == std::string("events"))
        request.events = {{"web", "m1"}, {"web", "m2"}};
    else
        request.source = "web", request.from = request.to = "2026-11-18";
    const auto said = world.platform().stewardship().say(request);
    REQUIRE(said);
    const json id = json::parse(said->json).at("id");

    const auto answer = explained(world, "user_id", "u1", "email", "a@shop.example");
    REQUIRE(answer.at("path").size() == 2);
    CHECK(answer.at("path")[0].at("to").at("value") == "c1");
    for (const auto& refusal : answer.at("refused")) {
        CHECK(refusal.at("reason") == "retracted");
        CHECK(refusal.at("assertions") == json{id});
    }
    CHECK(explained(world, "user_id", "u1", "user_id", "u9").at("connected") == false);
}

TEST_CASE("only those retractions are named that took something of the two") {
    PlatformWorld world;
    world.send_one(event("m1", {"u1", "c1", ""}));
    world.send_one(event("m2", {"u2", "c2", "", "2026-11-17"}));
    world.send_one(event("m3", {"u1", "c3", "", "2026-11-16"}));
    world.send_one(event("m4", {"u1", "c3", "", "2026-11-15"}));
    cdp::AssertionRequest request;
    request.kind = "retract";
    request.reason = "a test";
    request.author = "steward:test";
    request.source = "web";
    request.from = request.to = "2026-11-17";
    REQUIRE(world.platform().stewardship().say(request));
    request.from = request.to = "2026-11-16";
    const auto still_linked = world.platform().stewardship().say(request);
    REQUIRE(still_linked);
    const auto id = take_back(world, "days");
    const auto again = take_back(world, "event");

    const std::set<std::string> both{id, again};
    const auto answer = explained(world, "user_id", "u1", "anonymous_id", "c1");
    REQUIRE(answer.at("refused").size() == 1);
    CHECK(answer.at("refused")[0].at("assertions").get<std::set<std::string>>() == both);
    const auto graph = graph_of(world, "user_id", "u1");
    REQUIRE(graph.at("refused").size() == 1);
    auto touching = both;
    touching.insert(json::parse(still_linked->json).at("id").get<std::string>());
    CHECK(graph.at("assertions").get<std::set<std::string>>() == touching);
}

TEST_CASE("a shared cookie keeps two persons apart and says what it was seen with") {
    PlatformWorld world;
    world.send_one(event("m1", {"u1", "c1", ""}));
    world.send_one(event("m2", {"u2", "c1", ""}));
    const auto answer = explained(world, "user_id", "u1", "user_id", "u2");
    REQUIRE(answer.at("refused").size() == 2);
    const auto& outside = answer.at("refused")[0].at("outside").at(0);
    CHECK(outside.at("value") == "c1");
    CHECK(outside.at("seen_with").at("accounts") == 2);
    CHECK(outside.at("because") == "accounts");
    CHECK(explained(world, "user_id", "u1", "anonymous_id", "c1").at("refused").size() == 1);
    CHECK(graph_of(world, "anonymous_id", "c1").at("seen_with").at("accounts") == 2);

    world.send_one(event("m3", {.user = "u3"}));
    const auto nothing = explained(world, "user_id", "u1", "user_id", "u3");
    CHECK(nothing.at("connected") == false);
    CHECK(nothing.at("path").empty());
}

TEST_CASE("a person's graph has identifiers, links and refused links") {
    PlatformWorld world;
    world.send_one(event("m1", {"u1", "c1", "a@shop.example"}));
    world.send_one(event("m2", {"u2", "c2", "a@shop.example"}));
    const auto graph = graph_of(world, "user_id", "u1");
    std::set<std::string> all = values_of(graph.at("identifiers"));
    for (const auto& one : values_of(graph_of(world, "user_id", "u2").at("identifiers")))
        CHECK(all.insert(one).second);
    CHECK(all == std::set<std::string>{"a@shop.example", "c1", "c2", "u1", "u2"});
    for (const auto* user : {"u1", "u2"}) {
        const auto one = graph_of(world, "user_id", user);
        std::size_t joined = 0;
        for (const auto& link : one.at("links")) joined += link.at("joined") == true;
        CHECK(joined == one.at("identifiers").size() - 1);
        CHECK_FALSE(one.at("refused").empty());
        for (const auto& link : one.at("refused")) CHECK(link.at("reason") == "unique_type");
        for (const auto& identifier : one.at("identifiers")) {
            CHECK(identifier.at("contested") == true);
            CHECK(identifier.at("shared") == false);
            CHECK(identifier.at("since") == "2026-11-21T12:00:00.000Z");
        }
    }
}

TEST_CASE("a person's past is what its identifiers were members of") {
    PlatformWorld world;
    const auto at = [&] { return world.clock().now(); };
    world.send_one(event("m1", {.user = "u1"}));
    world.send_one(event("m2", {.cookie = "c1"}));
    const auto apart = at();
    const auto alone = graph_of(world, "anonymous_id", "c1").at("person");
    world.clock().advance(std::chrono::hours{1});
    world.send_one(event("m3", {"u1", "c1", ""}));
    const auto together = at();
    world.clock().advance(std::chrono::hours{1});
    world.send_one(event("m4", {"u2", "c1", ""}));  // shared from now on

    const auto then = graph_of(world, "anonymous_id", "c1", together);
    CHECK(then.at("person") == graph_of(world, "user_id", "u1").at("person"));
    CHECK(values_of(then.at("identifiers")) == std::set<std::string>{"u1", "c1"});
    CHECK(then == graph_of(world, "user_id", "u1", together));
    const auto before = graph_of(world, "anonymous_id", "c1", apart);
    CHECK(before.at("person") == alone);
    CHECK(values_of(before.at("identifiers")) == std::set<std::string>{"c1"});
    CHECK(values_of(graph_of(world, "user_id", "u1", at()).at("identifiers")) ==
          std::set<std::string>{"u1"});

    const auto now = graph_of(world, "user_id", "u1");
    CHECK(values_of(now.at("former")) == std::set<std::string>{"c1"});
    CHECK(now.at("former")[0].at("since") == cdp::format_time(together));
    CHECK(now.at("former")[0].at("until") == cdp::format_time(at()));
    const auto history = graph_of(world, "anonymous_id", "c1").at("history");
    REQUIRE(history.size() == 2);
    CHECK(history[0].at("person") == now.at("person"));
    CHECK(history[1].at("person") == alone);
    CHECK(graph_of(world, "user_id", "u1", apart - std::chrono::hours{1}) ==
          json{{"error", "person_unknown"}, {"pointer", "/as_of"}});
}

TEST_CASE("an alias whose name turned out to be an account says what it stands for") {
    PlatformWorld world;
    world.send_one(R"({"type":"alias","userId":"u1","previousId":"x","messageId":"m1"})");
    world.send_one(event("m2", {.user = "x"}));
    const auto answer = explained(world, "user_id", "u1", "anonymous_id", "x");
    CHECK(answer.at("same_person") == false);
    CHECK(answer.at("persons")[1].is_null());
    const auto& refused = answer.at("refused").at(0);
    CHECK(refused.at("reason") == "candidate");
    CHECK(refused.at("outside").at(0).at("twin") == json{{"type", "user_id"}, {"value", "x"}});
}

TEST_CASE("the hash of an address is joined to it on no day and by no event") {
    PlatformWorld world;
    const std::string hash = "f1a380e36299cc9e667d3485ebf78d8f0189d684d776a66cc9f26a54d82dc76c";
    world.send_one(event("m1", {"u1", "", "a@shop.example"}));
    world.consent("email_sha256", hash, "advertising", "denied");
    const auto answer = explained(world, "user_id", "u1", "email_sha256", hash);
    REQUIRE(answer.at("same_person") == true);
    const auto& hop = answer.at("path").at(1);
    CHECK(hop.at("hash_equality") == true);
    CHECK_FALSE(hop.contains("days"));
    CHECK(hop.at("events").empty());
}

TEST_CASE("the names of sources survive a restart, and a source nobody knows is a number") {
    PlatformWorld world;
    world.send_one(event("m1", {"u1", "c1", ""}));
    world.restart();
    const auto answer = explained(world, "user_id", "u1", "anonymous_id", "c1");
    CHECK(answer.at("path").at(0).at("sources") == json{"web"});
    const cdp::SourceNames names(world.vault());
    const auto unknown = names.name(*world.store().snapshot(), 0xbeefU);
    REQUIRE(unknown);
    CHECK(*unknown == "0000beef");
}

TEST_CASE("events in any order are explained the same") {
    const auto seed = GENERATE(tests::seeds(20));
    CAPTURE(seed);
    cdp::Random random{seed};
    std::vector<std::string> events;
    const auto pick = [&](const char* prefix, std::uint64_t n) {
        return prefix + std::to_string(random.below(n));
    };
    for (int n = 0; n < 25; ++n)
        events.push_back(
            event("m" + std::to_string(n), {random.one_in(2) ? pick("u", 4) : "", pick("c", 6),
                                            random.one_in(3) ? pick("e", 3) + "@shop.example" : "",
                                            "2026-11-1" + std::to_string(random.below(9))}));
    const auto told = [&](const std::vector<std::string>& sent) {
        PlatformWorld world;
        for (const auto& one : sent) world.send_one(one);
        std::vector<std::string> out;
        for (int c = 0; c < 6; ++c)
            for (int u = 0; u < 4; ++u)
                out.push_back(explained(world, "anonymous_id", "c" + std::to_string(c), "user_id",
                                        "u" + std::to_string(u))
                                  .dump());
        return out;
    };
    const auto in_order = told(events);
    for (std::size_t i = events.size(); i > 1; --i)
        std::swap(events[i - 1], events[random.below(i)]);
    CHECK(told(events) == in_order);
}

TEST_CASE("what an administrator posts is read by no source's region, then and later") {
    cdp::Config config;
    config.source_regions["web"] = "DE";
    PlatformWorld world(config);
    const auto identify = [&](const std::string& id, const cdp::Principal& from) {
        world.send_one(R"({"type":"identify","messageId":")" + id + R"(","anonymousId":")" + id +
                           R"(","traits":{"phone":"030 901820"}})",
                       from);
        return graph_of(world, "anonymous_id", id).at("identifiers").size();
    };
    CHECK(identify("c1", PlatformWorld::source("web")) == 2);
    CHECK(identify("c2", {cdp::Role::admin, "web", "", cdp::Trust::client}) == 1);
}
