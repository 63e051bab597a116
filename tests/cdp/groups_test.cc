#include <algorithm>
#include <map>
#include <set>

#include "cdp/disclosures.h"
#include "storage/key.h"
#include "tests/cdp/world.h"
#include "tests/support/any_order.h"
#include "tests/support/seeds.h"

// Companies with their traits and the persons seen with them: never evidence of who is who, and the
// same whatever order events come in.

namespace {

using nlohmann::json;
using tests::PlatformWorld;

json group_of(PlatformWorld& world, const std::string& id, const cdp::PageQuery& query = {}) {
    const auto answer = world.platform().group(world.officer(), id, query);
    if (!answer) return {{"error", answer.error().reason}};
    return json::parse(*answer);
}

json groups_of(PlatformWorld& world, const std::string& type, const std::string& value,
               const cdp::PageQuery& query = {}) {
    const auto answer = world.platform().groups_of(world.officer(), {type, value}, query);
    if (!answer) return {{"error", answer.error().reason}};
    return json::parse(*answer);
}

// "id first last" of each group, in order of ids.
std::string names(const json& answer) {
    std::set<std::string> all;
    for (const auto& one : answer.at("groups"))
        all.insert(one.at("group").get<std::string>() + " " +
                   one.at("firstSeen").get<std::string>().substr(8) + "-" +
                   one.at("lastSeen").get<std::string>().substr(8));
    std::string out;
    for (const auto& one : all) out += (out.empty() ? "" : ", ") + one;
    return out;
}

std::string traits(const json& group) {
    std::string out;
    for (const auto& [name, trait] : group.at("traits").items())
        out += (out.empty() ? "" : " ") + name + "=" + trait.at("value").dump();
    return out;
}

std::string joined(const std::string& user, const std::string& group, const std::string& more = "",
                   const std::string& day = "20") {
    static int calls = 0;
    return R"({"type":"group","userId":")" + user + R"(","groupId":")" + group +
           R"(","messageId":"call)" + std::to_string(++calls) + R"(","timestamp":"2026-11-)" + day +
           R"(T10:00:00Z")" + more + "}";
}

// Every row of a space, as stored.
std::map<std::string, std::string> rows(PlatformWorld& world, storage::Space space) {
    std::map<std::string, std::string> out;
    const std::string prefix{'\0', '\0', static_cast<char>(space)};
    REQUIRE(world.store().snapshot()->scan(prefix, "",
                                           [&](std::string_view key, std::string_view value) {
                                               out.emplace(key, value);
                                               return true;
                                           }));
    return out;
}

std::vector<std::string> warnings(PlatformWorld& world, const std::string& event) {
    const auto verdicts = world.send(event);
    REQUIRE(verdicts.size() == 1);
    CHECK(verdicts[0].kind == cdp::VerdictKind::accepted);
    return verdicts[0].warnings;
}

}  // namespace

TEST_CASE("a group call's traits are the company's and say nothing of who is who") {
    PlatformWorld world;
    world.send_one(joined("u1", "acme", R"(,"traits":{"plan":"pro","email":"desk@firm.example"})"));
    world.send_one(joined("u2", "acme"));

    const auto acme = group_of(world, "acme");
    CHECK(acme.at("group") == "acme");
    CHECK(traits(acme) == R"(email="desk@firm.example" plan="pro")");
    CHECK(acme.at("traits").at("plan").at("source") == "web");
    CHECK(acme.at("traits").at("plan").at("time") == "2026-11-20T10:00:00.000Z");
    CHECK(acme.at("members").size() == 2);
    CHECK(acme.at("next").is_null());

    CHECK(world.exported(cdp::ExportKind::persons).size() == 2);
    CHECK(world.exported(cdp::ExportKind::links).empty());
    CHECK(world.profile("email_tool", "user_id", "u1", "email_marketing").at("traits").empty());
    CHECK(tests::withheld(world.profile("email_tool", "user_id", "u1", "email_marketing"),
                          "plan") == "");
    CHECK(world.profile("email_tool", "email", "desk@firm.example", "email_marketing")
              .contains("error"));
}

TEST_CASE("an id that an identifier has too is another thing") {
    PlatformWorld world;
    world.send_one(joined("same", "same"));
    world.send_one(R"({"type":"track","event":"A","userId":"u2","groupId":"same"})");
    CHECK(world.exported(cdp::ExportKind::persons).size() == 2);
    CHECK(group_of(world, "same").at("members").size() == 2);
    CHECK(groups_of(world, "group_id", "same") == json{{"error", "person_unknown"}});
}

TEST_CASE("events that carry a groupId make members and leave the traits alone") {
    PlatformWorld world;
    const auto send = [&](const std::string& rest) {
        return warnings(
            world,
            R"({"type":"track","event":"A","timestamp":"2026-11-20T10:00:00Z",)" + rest + "}");
    };
    CHECK(send(R"("userId":"u1","groupId":"g1","traits":{"a":1})").empty());
    CHECK(send(R"("userId":"u2","context":{"groupId":"g2"})").empty());
    CHECK(send(R"("userId":"u3","groupId":"g3","context":{"groupId":"g2"})").empty());
    CHECK(send(R"("userId":"u4","context":{"groupId":42})").empty());
    CHECK(send(R"("userId":"u5","groupId":null,"context":{"groupId":" g5 "})").empty());
    CHECK(names(groups_of(world, "user_id", "u1")) == "g1 20-20");
    CHECK(names(groups_of(world, "user_id", "u2")) == "g2 20-20");
    CHECK(names(groups_of(world, "user_id", "u3")) == "g3 20-20");
    CHECK(names(groups_of(world, "user_id", "u4")) == "42 20-20");
    CHECK(names(groups_of(world, "user_id", "u5")) == "g5 20-20");
    CHECK(traits(group_of(world, "g1")).empty());
}

TEST_CASE("an id that names no group is dropped with a warning and the event is taken") {
    struct Row {
        const char* members;
        const char* warning;
    };
    // clang-format off
    const auto row = GENERATE(values<Row>({
        {R"("type":"group","groupId":"undefined","traits":{"a":1})",    "null_like_group_id"},
        {R"("type":"group","groupId":"00000")",                         "null_like_group_id"},
        {R"("type":"track","event":"A","groupId":"null")",              "null_like_group_id"},
        {R"("type":"track","event":"A","groupId":{})",                  "malformed_group_id"},
        {R"("type":"page","context":{"groupId":[1]})",                  "malformed_group_id"},
        {R"("type":"group","groupId":"g","traits":[1])",                "invalid_traits"},
    }));
    // clang-format on
    CAPTURE(row.members);
    PlatformWorld world;
    const auto event = "{" + std::string(row.members) + R"(,"userId":"u1"})";
    CHECK(warnings(world, event) == std::vector<std::string>{row.warning});
    const auto groups = groups_of(world, "user_id", "u1").at("groups");
    CHECK(groups.size() == (row.warning == std::string("invalid_traits") ? 1 : 0));
}

TEST_CASE("a group id of 512 bytes is one, a longer one is not") {
    PlatformWorld world;
    const std::string longest(512, 'g');
    CHECK(warnings(world, joined("u1", longest)).empty());
    CHECK(warnings(world, joined("u2", longest + "g")) ==
          std::vector<std::string>{"malformed_group_id"});
    CHECK(group_of(world, longest).at("members").size() == 1);
    CHECK(group_of(world, longest + "g") == json{{"error", "group_unknown"}});
}

TEST_CASE("of each trait the latest call holds, and null clears it") {
    PlatformWorld world;
    world.send_one(joined("u1", "acme", R"(,"traits":{"plan":"pro","seats":5})", "20"));
    world.send_one(joined("u2", "acme", R"(,"traits":{"plan":"old","city":"Lyon"})", "19"));
    CHECK(traits(group_of(world, "acme")) == R"(city="Lyon" plan="pro" seats=5)");
    world.send_one(joined("u2", "acme", R"(,"traits":{"seats":null})", "21"));
    CHECK(traits(group_of(world, "acme")) == R"(city="Lyon" plan="pro")");
    world.send_one(joined("u3", "acme", R"(,"traits":{"plan":"top"})", "20"));
    CHECK(traits(group_of(world, "acme")) == R"(city="Lyon" plan="top")");  // the greater text
}

TEST_CASE("a membership is the first and last day, and a known day writes nothing") {
    PlatformWorld world;
    world.send_one(joined("u1", "acme", "", "15"));
    world.send_one(joined("u1", "acme", "", "12"));
    world.send_one(joined("u1", "acme", "", "20"));
    CHECK(names(groups_of(world, "user_id", "u1")) == "acme 12-20");

    const auto rows_of = [&](const std::string& event) {
        const auto before = world.store().counts().rows;
        world.send_one(event);
        return world.store().counts().rows - before;
    };
    const auto plain = [](const std::string& id, const std::string& group) {
        return R"({"type":"track","event":"A","userId":"u1","messageId":")" + id +
               R"(","timestamp":"2026-11-15T10:00:00Z")" + group + "}";
    };
    const auto without = rows_of(plain("m1", ""));
    CHECK(rows_of(plain("m2", R"(,"groupId":"acme")")) == without);
    CHECK(rows_of(plain("m3", R"(,"groupId":"other")")) > without);
}

TEST_CASE("a person's groups are those of its identifiers, and leave with them") {
    PlatformWorld world;
    const auto browse = [&](const char* id, const char* cookie, const char* group,
                            const char* user) {
        auto event = R"({"type":"track","event":"A","messageId":")" + std::string(id) +
                     R"(","timestamp":"2026-11-20T10:00:00Z","anonymousId":")" + cookie + "\"";
        if (*group) event += R"(,"groupId":")" + std::string(group) + "\"";
        if (*user) event += R"(,"userId":")" + std::string(user) + "\"";
        world.send_one(event + "}");
    };
    browse("m1", "a1", "web", "");
    world.send_one(joined("u1", "acme", "", "18"));
    world.send_one(joined("u1", "web", "", "18"));
    CHECK(names(groups_of(world, "anonymous_id", "a1")) == "web 20-20");
    CHECK(names(groups_of(world, "user_id", "u1")) == "acme 18-18, web 18-18");
    CHECK(group_of(world, "web").at("members").size() == 2);

    browse("m2", "a1", "", "u1");  // one person now
    CHECK(names(groups_of(world, "anonymous_id", "a1")) == "acme 18-18, web 18-20");
    CHECK(groups_of(world, "anonymous_id", "a1") == groups_of(world, "user_id", "u1"));
    const auto web = group_of(world, "web").at("members");
    REQUIRE(web.size() == 1);
    CHECK(web[0].at("firstSeen") == "2026-11-18");
    CHECK(web[0].at("lastSeen") == "2026-11-20");
    CHECK(names(groups_of(world, "person", web[0].at("person"))) == "acme 18-18, web 18-20");

    browse("m3", "a1", "", "u2");  // two accounts: the cookie is shared and nobody's
    CHECK(names(groups_of(world, "user_id", "u1")) == "acme 18-18, web 18-18");
    CHECK(names(groups_of(world, "user_id", "u2")).empty());
    CHECK(names(groups_of(world, "anonymous_id", "a1")) == "web 20-20");
    CHECK(group_of(world, "web").at("members").size() == 2);
}

TEST_CASE("the members of a group come in pages, each identifier once") {
    PlatformWorld world;
    for (int i = 0; i < 25; ++i) world.send_one(joined("u" + std::to_string(i), "acme"));
    world.send_one(joined("u1", "other"));
    std::set<std::string> seen;
    cdp::PageQuery query{.limit = 10};
    int pages = 0;
    for (;; ++pages) {
        const auto page = group_of(world, "acme", query);
        for (const auto& member : page.at("members"))
            CHECK(seen.insert(member.at("person")).second);
        if (page.at("next").is_null()) break;
        query.cursor = page.at("next");
        CHECK(group_of(world, "other", query) == json{{"error", "malformed_cursor"}});
        CHECK(groups_of(world, "user_id", "u1", query) == json{{"error", "malformed_cursor"}});
    }
    CHECK(pages == 2);
    CHECK(seen.size() == 25);
    CHECK(group_of(world, "acme", {.limit = 25}).at("next").is_null());
}

TEST_CASE("the groups of a person come in pages, each group once and whole") {
    PlatformWorld world;
    for (int i = 0; i < 12; ++i) {
        world.send_one(joined("u1", "g" + std::to_string(i), "", "18"));
        if (i % 2 == 0)
            world.send_one(R"({"type":"track","event":"A","anonymousId":"a1","messageId":"m)" +
                           std::to_string(i) +
                           R"(","timestamp":"2026-11-20T10:00:00Z","groupId":"g)" +
                           std::to_string(i) + R"("})");
    }
    world.send_one(R"({"type":"track","event":"A","anonymousId":"a1","userId":"u1"})");
    std::map<std::string, std::string> seen;
    cdp::PageQuery query{.limit = 5};
    for (;;) {
        const auto page = groups_of(world, "user_id", "u1", query);
        CHECK(page.at("groups").size() <= 5);
        for (const auto& one : page.at("groups"))
            CHECK(seen.emplace(one.at("group"), one.at("lastSeen")).second);
        if (page.at("next").is_null()) break;
        query.cursor = page.at("next");
    }
    CHECK(seen.size() == 12);
    CHECK(seen.at("g4") == "2026-11-20");
    CHECK(seen.at("g5") == "2026-11-18");
}

TEST_CASE("what cannot be read is refused by name") {
    PlatformWorld world;
    world.send_one(joined("u1", "acme"));
    const auto error = [](const char* reason) { return json{{"error", reason}}; };
    CHECK(group_of(world, "nobody") == error("group_unknown"));
    CHECK(group_of(world, "null") == error("group_unknown"));
    CHECK(group_of(world, "") == error("group_unknown"));
    CHECK(group_of(world, "acme", {.limit = 0}) == error("limit_out_of_range"));
    CHECK(group_of(world, "acme", {.limit = 1001}) == error("limit_out_of_range"));
    CHECK(group_of(world, "acme", {.cursor = "ff"}) == error("malformed_cursor"));
    CHECK(groups_of(world, "user_id", "u9") == error("person_unknown"));
    CHECK(groups_of(world, "email", "nonsense") == error("malformed_identifier"));
    CHECK(groups_of(world, "user_id", "u1", {.limit = 0}) == error("limit_out_of_range"));
    CHECK(groups_of(world, "user_id", "u1", {.cursor = "zz"}) == error("malformed_cursor"));
}

TEST_CASE("a large batch of one company's people is taken whole") {
    PlatformWorld world;
    std::string body = R"({"batch":[)";
    for (int i = 0; i < 400; ++i)
        body += (i ? "," : "") + joined("u" + std::to_string(i), "acme", R"(,"traits":{"n":1})");
    for (const auto& verdict : world.send(body + "]}"))
        CHECK(verdict.kind == cdp::VerdictKind::accepted);
    CHECK(world.platform().counters().conflicts == 0);
    CHECK(world.exported(cdp::ExportKind::groups).at(0).at("members").size() == 400);
}

TEST_CASE("the export has a line for each group, with everybody, and is recorded") {
    PlatformWorld world;
    world.send_one(joined("u1", "acme", R"(,"traits":{"plan":"pro"})"));
    world.send_one(joined("u2", "acme"));
    world.send_one(joined("u2", "zeta"));
    const auto lines = world.exported(cdp::ExportKind::groups);
    const auto noted = world.platform().disclosures().of_reader("officer", "officer", {});
    REQUIRE(noted);
    CHECK(noted->batches.size() == 1);
    REQUIRE(lines.size() == 2);
    for (const auto& line : lines) {
        const bool acme = line.at("group") == "acme";
        CHECK(line.at("members").size() == (acme ? 2 : 1));
        CHECK(traits(line) == (acme ? R"(plan="pro")" : ""));
    }
    CHECK(cdp::parse_export_kind("groups") == cdp::ExportKind::groups);
}

TEST_CASE("nothing of a group is stored in plain text") {
    PlatformWorld world;
    world.send_one(joined("u1", "acme-secret", R"(,"traits":{"secret-name":"secret-value"})"));
    std::size_t stored = 0;
    REQUIRE(world.store().snapshot()->scan(std::string(2, '\0'), "",
                                           [&](std::string_view key, std::string_view value) {
                                               CHECK(key.find("secret") == key.npos);
                                               CHECK(value.find("secret") == value.npos);
                                               ++stored;
                                               return true;
                                           }));
    CHECK(stored > 5);
}

namespace {

std::string draw_call(cdp::Random& random, std::size_t serial) {
    json event{{"messageId", "m" + std::to_string(serial)}, {"type", "track"}, {"event", "A"}};
    // Few minutes, so that traits of one moment contradict each other.
    event["timestamp"] = "2026-11-" + std::to_string(16 + random.below(4)) + "T10:0" +
                         std::to_string(random.below(3)) + ":00Z";
    if (random.one_in(2)) event["userId"] = tests::pick(random, "u", 4);
    if (!event.contains("userId") || !random.one_in(3))
        event["anonymousId"] = tests::pick(random, "a", 6);
    if (random.one_in(2)) {
        event["type"] = "group";
        event["groupId"] = tests::pick(random, "g", 4);
        event["traits"][tests::pick(random, "t", 3)] =
            random.one_in(4) ? json() : json(random.below(5));
    } else if (random.one_in(2)) {
        event["context"]["groupId"] = tests::pick(random, "g", 4);
    }
    return event.dump();
}

struct Outcome {
    std::map<std::string, std::string> members, of;
    std::vector<std::string> said;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome run(const std::vector<std::string>& calls) {
    PlatformWorld world;
    for (const auto& call : calls) world.send_one(call);
    Outcome outcome{
        rows(world, storage::Space::group_member), rows(world, storage::Space::group_of), {}};
    for (const auto space : {storage::Space::group, storage::Space::group_trait})
        for (const auto& [key, sealed] : rows(world, space)) outcome.said.push_back(key);
    for (const auto& line : world.exported(cdp::ExportKind::groups))
        outcome.said.push_back(line.dump());
    for (int i = 0; i < 4; ++i) {
        outcome.said.push_back(group_of(world, "g" + std::to_string(i)).dump());
        outcome.said.push_back(groups_of(world, "user_id", "u" + std::to_string(i)).dump());
    }
    for (int i = 0; i < 6; ++i)
        outcome.said.push_back(groups_of(world, "anonymous_id", "a" + std::to_string(i)).dump());
    return outcome;
}

}  // namespace

TEST_CASE("groups are the same whatever order and however often events come") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    CHECK(tests::same_in_any_order(seed, 40, draw_call, run));
}

TEST_CASE("the comparison of groups notices a group call that is missing") {
    int noticed = 0;
    int looked = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        cdp::Random random(seed);
        auto sent = tests::drawn(random, 12, draw_call);
        const auto whole = run(sent);
        sent.push_back(joined("u1", "g1", R"(,"traits":{"t1":"last"})"));
        noticed += !(run(sent) == whole);
        ++looked;
    }
    CHECK(noticed == looked);
}
