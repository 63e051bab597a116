#include <sstream>

#include "cdp/privacy.h"
#include "cdp/privacy_found.h"
#include "cdp/privacy_requests.h"
#include "tests/cdp/reporting.h"
#include "tests/cdp/stewardship_world.h"

// What a request found is what it is about, whatever becomes of who is who.

namespace {

using cdp::PrivacyKind;
using nlohmann::json;
using tests::PlatformWorld;

// A visitor who left an address, and a customer.
struct Desk : PlatformWorld {
    Desk() : PlatformWorld(tests::open_config()) {
        send_one(
            R"({"type":"identify","anonymousId":"visitor","messageId":"m1",)"
            R"("timestamp":"2026-11-20T10:00:00Z","traits":{"email":"a@shop.example","plan":"pewter"}})");
        send_one(R"({"type":"identify","userId":"u1","messageId":"m2",)"
                 R"("timestamp":"2026-11-20T11:00:00Z",)"
                 R"("traits":{"email":"b@shop.example","plan":"platinum"}})",
                 source("till", cdp::Trust::server));
        clock().advance(std::chrono::seconds(1));
    }
    cdp::PrivacyRequest ask(PrivacyKind kind, std::vector<cdp::RequestedIdentifier> whom) {
        auto& requests = platform().privacy().requests;
        const auto taken = requests.submit(
            "kim",
            {.kind = kind, .identifiers = std::move(whom), .verified_by = "confirmation_link"});
        REQUIRE(taken);
        const auto done = requests.advance(taken->id);
        REQUIRE(done);
        REQUIRE(done->state == cdp::PrivacyState::fulfilled);
        return *done;
    }
    // Of its results, as they are given now; or why they are not.
    std::string results(const cdp::PrivacyRequest& request,
                        cdp::ReportFormat format = cdp::ReportFormat::json) {
        const auto& privacy = platform().privacy();
        const auto found = privacy.requests.found_in(request.id);
        REQUIRE(found);
        const bool kinds = request.kind == PrivacyKind::access_categories;
        const auto depth = kinds ? cdp::ReportDepth::categories : cdp::ReportDepth::everything;
        std::string text;
        const auto done = privacy.reports.write(
            {.who = {}, .route = "GET /privacy/results/{link}", .reason = {}},
            {.persons = *found, .format = format, .depth = depth}, [&](std::string_view piece) {
                text += piece;
                return true;
            });
        return done ? text : done.error().reason;
    }
    // As any page of the shop may say.
    void say_visitor_is(const std::string& user) {
        send_one(R"({"type":"identify","anonymousId":"visitor","userId":")" + user +
                 R"(","messageId":"join )" + user +
                 R"(","timestamp":"2026-11-20T12:00:00Z","traits":{"plan":"alloy"}})");
    }
};

bool has(const std::string& text, const std::string& what) {
    return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("results hold nothing of whom somebody joined to the asker since") {
    Desk world;
    const auto access = world.ask(PrivacyKind::access, {{"email", "a@shop.example"}});
    const auto along = world.ask(PrivacyKind::portability, {{"email", "a@shop.example"}});
    world.say_visitor_is("u1");
    const auto whole = tests::report(world, "email", "a@shop.example");
    REQUIRE(whole["identifiers"].size() == 4);
    REQUIRE(has(whole.dump(), "platinum"));
    for (const auto& text : {world.results(access), world.results(access, cdp::ReportFormat::html),
                             world.results(along, cdp::ReportFormat::portable)}) {
        CAPTURE(text);
        CHECK(has(text, "a@shop.example"));
        CHECK(has(text, "pewter"));
        for (const auto* theirs : {"platinum", "b@shop.example", "\"u1\"", "alloy"})
            CHECK_FALSE(has(text, theirs));
    }
    const auto document = json::parse(world.results(access));
    CHECK(document["identifiers"].size() == 2);
    CHECK(document["decisions"].empty());
    CHECK(has(document["left_out"].dump(), "What joined your identifiers since you asked"));
    for (const auto& link : document["links"])
        CHECK((link["both_are_yours"] == true || link["b"]["value"].is_null()));
    // What is done under the asker's own identifiers goes on being theirs.
    world.send_one(R"({"type":"track","event":"Seen","anonymousId":"visitor","messageId":"m3",)"
                   R"("timestamp":"2026-11-20T10:05:00Z"})");
    CHECK(json::parse(world.results(access))["events"].size() == 2);
}

TEST_CASE("of two whom a request named and who became one everything is given, once") {
    Desk world;
    const auto both =
        world.ask(PrivacyKind::access, {{"email", "a@shop.example"}, {"user_id", "u1"}});
    CHECK(json::parse(world.results(both)).size() == 2);
    world.say_visitor_is("u1");
    const auto one = json::parse(world.results(both));
    REQUIRE(one.is_object());
    CHECK(one["identifiers"].size() == 4);
}

TEST_CASE("what was erased or taken from the asker since is not in the results") {
    Desk world;
    const auto access = world.ask(PrivacyKind::access, {{"email", "a@shop.example"}});
    REQUIRE(tests::say(world, tests::request("cannot_link", {{"email", "a@shop.example"},
                                                             {"anonymous_id", "visitor"}}))
                .contains("id"));
    const auto alone = json::parse(world.results(access));
    CHECK(alone["identifiers"].size() == 1);
    CHECK(alone["identifiers"][0]["type"] == "email");
    REQUIRE(world.platform().privacy().erasures.erase(
        PlatformWorld::officer(), "kim", {.type = "email", .value = "a@shop.example"}));
    CHECK(world.results(access) == "person_unknown");
    CHECK(world.platform().privacy().requests.found_in(access.id)->empty());
    // Whoever has the address next is not told of either.
    world.send_one(R"({"type":"identify","userId":"u9","messageId":"m9",)"
                   R"("traits":{"email":"a@shop.example"}})");
    CHECK(world.results(access) == "person_unknown");
}

TEST_CASE("whom a request found is sealed, and found again by a later process") {
    Desk world;
    const auto access = world.ask(PrivacyKind::access, {{"email", "a@shop.example"}});
    const auto before = world.platform().privacy().requests.found_in(access.id);
    REQUIRE(before->size() == 1);
    CHECK(before->front().members.size() == 2);
    CHECK(world.platform().privacy().requests.read(access.id)->results.found.empty());
    const auto cookie = world.vault().token("anonymous_id", "visitor");
    std::size_t rows = 0;
    REQUIRE(world.store().snapshot()->scan(
        storage::space_prefix(storage::Space::privacy_request), "",
        [&](std::string_view key, std::string_view value) {
            CHECK_FALSE(has(std::string(key), std::string(cookie.view())));
            CHECK_FALSE(has(std::string(value), std::string(cookie.view())));
            const auto opens =
                cdp::found_opens(*world.store().snapshot(), world.vault(), key, value);
            if (opens) ++rows;
            CHECK(opens.value_or(true));
            return true;
        }));
    CHECK(rows == 1);
    world.restart(tests::open_config());
    CHECK(*world.platform().privacy().requests.found_in(access.id) == *before);
}

TEST_CASE("who asks for categories is told kinds of data, and no datum") {
    Desk world;
    world.consent("email", "b@shop.example", "email_marketing", "granted");
    world.profile("email_tool", "user_id", "u1", "email_marketing");
    const auto request = world.ask(PrivacyKind::access_categories, {{"user_id", "u1"}});
    CHECK(request.results.counts.at("identifiers") == 2);
    for (const auto format : {cdp::ReportFormat::json, cdp::ReportFormat::html}) {
        const auto text = world.results(request, format);
        CAPTURE(text);
        for (const auto* datum : {"b@shop.example", "u1", "platinum", "m2", "2026-11-20"})
            CHECK_FALSE(has(text, datum));
        CHECK(has(text, "contact.email"));
        CHECK(has(text, "till"));
    }
    const auto told = json::parse(world.results(request));
    const auto email = std::ranges::find_if(
        told["categories"], [](const json& one) { return one["category"] == "contact.email"; });
    REQUIRE(email != told["categories"].end());
    CHECK((*email)["held_as"] == json{"identifiers", "traits"});
    CHECK((*email)["sources"] == json{"till"});
    CHECK(has((*email)["purposes"].dump(), "email_marketing"));
    REQUIRE(told["disclosures"].size() == 1);
    CHECK(has(told["disclosures"][0]["categories"].dump(), "contact.email"));
}

TEST_CASE("who reads results by their link is listed as the person themselves") {
    Desk world;
    const auto access = world.ask(PrivacyKind::access, {{"email", "a@shop.example"}});
    world.results(access);
    const auto told = json::parse(world.results(access));
    CHECK(told["looked_at"] == json{{{"role", "person"}, {"day", "2026-11-21"}, {"times", 2}}});
    const auto seen =
        world.audited("access", {.subject = cdp::AuditSubject{"email", "a@shop.example"}});
    INFO(seen.dump(1));
    CHECK(has(seen.dump(), R"("role":"person")"));
    CHECK_FALSE(has(seen.dump(), "kim"));
}
