#include <algorithm>

#include "cdp/base/random.h"
#include "cdp/decisions.h"
#include "cdp/quarantines.h"
#include "tests/cdp/stewardship_world.h"
#include "tests/support/seeds.h"

// An objection closes everything that asks for consent and a restriction everything but the law, in
// any order of arrival; only what docs/decisions/0016 names opens it again.

namespace {

using nlohmann::json;
using tests::PlatformWorld;

constexpr auto kAll = "*";

cdp::Config config() {
    auto config = tests::open_config();
    config.policy.purposes.push_back(
        {.name = "tax", .regime = consent::Regime::legal_obligation, .target_types = {}});
    for (auto& channel : config.policy.channels)
        if (channel.id == "desk") channel.purposes.push_back("tax");
    return config;
}

struct Use {
    const char* purpose;
    const char* channel;
};
constexpr Use kAsked[] = {{"email_marketing", "email_tool"}, {"advertising", "ads_tool"}};
constexpr Use kContract = {"service", "desk"};
constexpr Use kLaw = {"tax", "desk"};

const std::vector<std::pair<std::string, std::string>> kWho = {
    {"user_id", "u1"}, {"anonymous_id", "c1"}, {"email", "a@shop.example"}};

// What a channel gets of anybody of the person, in one text.
std::string given(PlatformWorld& world, const Use& use) {
    std::string out;
    for (const auto& [type, value] : kWho) {
        const auto profile = world.profile(use.channel, type, value, use.purpose);
        const auto traits = profile.value("traits", json::object());  // which items() refers to
        for (const auto& [name, trait] : traits.items()) out += name + " ";
        for (const auto& one : profile.value("identifiers", json::array())) out += one.dump();
        const auto timeline = world.timeline(use.channel, type, value, {.purpose = use.purpose});
        for (const auto& one : timeline.value("events", json::array())) out += one.dump();
    }
    return out;
}

std::string reason(PlatformWorld& world, const Use& use, const std::string& type,
                   const std::string& value) {
    const auto answer = world.platform().decide(
        PlatformWorld::officer(),
        {{.identifiers = {{type, value}}, .purpose = use.purpose, .channel = use.channel}});
    if (!answer) return answer.error().reason;
    return json::parse(**answer)["answers"][0]["reason"];
}

// One thing that is sent, whenever.
using Step = std::function<void(PlatformWorld&)>;

Step event(const std::string& id, const std::string& who, const std::string& hour) {
    return [=](PlatformWorld& world) {
        world.send_one(R"({"type":"identify","messageId":")" + id +
                           R"(","timestamp":"2026-11-21T)" + hour + R"(:00:00Z",)" + who + "}",
                       PlatformWorld::source("till", cdp::Trust::server));
    };
}

Step say(const std::string& type, const std::string& value, const std::string& purpose,
         const std::string& state, const std::string& scope, const std::string& hour) {
    return [=](PlatformWorld& world) {
        world.consent(type, value, purpose, state, scope,
                      cdp::parse_time("2026-11-21T" + hour + ":00:00Z"));
    };
}

// Somebody of three identifiers, who said yes before and, under others, afterwards.
std::vector<Step> life(const std::string& state, std::size_t under) {
    std::vector<Step> steps = {
        event("m1", R"("userId":"u1","anonymousId":"c1","traits":{"firstName":"Ann"})", "02"),
        event("m2", R"("userId":"u1","traits":{"email":"a@shop.example","plan":"gold"})", "03"),
        event("m3", R"("anonymousId":"c1","traits":{"plan":"silver"})", "09")};
    for (std::size_t i = 0; i < kWho.size(); ++i) {
        const auto& [type, value] = kWho[i];
        for (const auto& use : kAsked) {
            steps.push_back(say(type, value, use.purpose, "granted", "person", "04"));
            if (i == under) continue;
            steps.push_back(say(type, value, use.purpose, "granted", "person", "08"));
            steps.push_back(say(type, value, use.purpose, "granted", "identifier", "08"));
            steps.push_back(say(type, value, use.purpose, "reconfirmed", "person", "09"));
        }
    }
    steps.push_back(say(kWho[under].first, kWho[under].second, kAll, state, "person", "06"));
    return steps;
}

void live(PlatformWorld& world, std::vector<Step> steps, cdp::Random& random) {
    for (std::size_t n = steps.size(); n > 1; --n) std::swap(steps[n - 1], steps[random.below(n)]);
    for (const auto& step : steps) step(world);
    world.clock().advance(std::chrono::minutes(1));
}

}  // namespace

TEST_CASE("after an objection nothing opens what asks for consent, in whatever order it came",
          "[objection]") {
    const auto seed = GENERATE(tests::seeds(12));
    CAPTURE(seed);
    cdp::Random random(seed);
    const auto under = random.below(kWho.size());
    PlatformWorld world(config());
    live(world, life("objected", under), random);
    for (const auto& use : kAsked) {
        CHECK(given(world, use).empty());
        for (const auto& [type, value] : kWho) CHECK(reason(world, use, type, value) == "objected");
    }
    // Objecting is to what rests on consent or interest, not to what one has ordered.
    CHECK_FALSE(given(world, kContract).empty());

    // Another person becomes the same, with all its grants.
    event("m4", R"("userId":"u1","anonymousId":"c2")", "09")(world);
    for (const auto& use : kAsked)
        say("anonymous_id", "c2", use.purpose, "granted", "person", "10")(world);
    for (const auto& use : kAsked) {
        CHECK(given(world, use).empty());
        CHECK(reason(world, use, "anonymous_id", "c2") == "objected");
    }
    // And is split off again.
    REQUIRE(tests::say(world, tests::request("cannot_link",
                                             {{"user_id", "u1"}, {"email", "a@shop.example"}}))
                .contains("id"));
    for (const auto& use : kAsked) {
        CHECK(given(world, use).empty());
        for (const auto& [type, value] : kWho)
            CHECK((reason(world, use, type, value) == "objected" ||
                   reason(world, use, type, value) == "quarantined"));
    }
}

TEST_CASE("a restricted person's data are stored and appear nowhere but where the law demands them",
          "[objection]") {
    const auto seed = GENERATE(tests::seeds(12));
    CAPTURE(seed);
    cdp::Random random(seed);
    const auto under = random.below(kWho.size());
    PlatformWorld world(config());
    live(world, life("restricted", under), random);
    for (const auto& use : {kAsked[0], kAsked[1], kContract}) {
        CAPTURE(use.purpose);
        CHECK(given(world, use).empty());
        for (const auto& [type, value] : kWho)
            CHECK(reason(world, use, type, value) == "restricted");
        const auto google = world.platform().google_consent(PlatformWorld::channel(use.channel),
                                                            kWho[under].first, kWho[under].second);
        if (google) CHECK(google->body()->find("\"granted\"") == std::string::npos);
    }
    CHECK(reason(world, kLaw, "user_id", "u1") == "legal_obligation");
    CHECK(world.exported(cdp::ExportKind::events).size() == 3);
    CHECK(world.exported(cdp::ExportKind::persons).size() == 1);
}

TEST_CASE("a denial of everything ends by a grant of the person under the same identifier alone",
          "[objection]") {
    for (const char* state : {"objected", "restricted"}) {
        CAPTURE(state);
        PlatformWorld world(config());
        cdp::Random random(1);
        live(world, life(state, 0), random);
        const auto& [type, value] = kWho[0];
        const Use ads = kAsked[1];
        REQUIRE(reason(world, ads, type, value) == state);
        say(type, value, "advertising", "granted", "identifier", "10")(world);
        CHECK(given(world, ads).empty());
        say(type, value, "advertising", "granted", "person", "11")(world);
        CHECK(reason(world, ads, type, value) == "granted");
        // Of that purpose and no other.
        CHECK(reason(world, kAsked[0], "email", "a@shop.example") == state);
        CHECK(given(world, kAsked[0]).empty());
    }
}
