#include "consent/released_body.h"

#include <type_traits>

#include <catch2/catch.hpp>

#include "tests/consent/world.h"

namespace {

using namespace consent;
using tests::day;
using tests::token;

// Nobody but the gate makes one, out of whatever.
static_assert(!std::is_default_constructible_v<Released>);
static_assert(!std::is_constructible_v<Released, std::string>);
static_assert(!std::is_constructible_v<Released, Field, std::string, Decision>);
static_assert(!std::is_constructible_v<Released, const Field&, std::string, const Decision&>);
static_assert(!std::is_constructible_v<Released, Withheld>);
static_assert(!std::is_aggregate_v<Released>);
static_assert(!std::is_aggregate_v<Withheld>);
static_assert(!std::is_default_constructible_v<Withheld>);
static_assert(!std::is_constructible_v<Withheld, std::string, Decision>);
static_assert(!std::is_constructible_v<Withheld, const Field&, const Decision&>);
static_assert(!std::is_constructible_v<Cursor, std::string>);

// A body takes no text that was made at run time. (That a `const char*` of run time does not
// compile either is consteval's doing, and no requires-expression can see it.)
template <typename T>
concept Writable = requires(ReleasedBody body, T text) { body.text(text); };
static_assert(!Writable<std::string>);
static_assert(!Writable<std::string_view>);
template <typename T>
concept Nameable = requires(ReleasedBody body, T thing) { body.id(thing); };
static_assert(Nameable<cdp::PersonId>);
static_assert(!Nameable<cdp::Token>);
static_assert(!Nameable<std::string>);

template <typename T>
concept Purposeful = requires(ReleasedBody body, T thing) { body.purpose(thing); };
static_assert(Purposeful<Gate>);
static_assert(!Purposeful<Purpose>);
static_assert(!Purposeful<std::string>);

Policy shop() {
    auto policy = default_policy();
    policy.labels.push_back({.name = "taste", .collected_for = {"analytics"}});
    policy.channels[0].labels.push_back({"taste", Transform::raw});
    return check(policy).value();
}

struct Asked {
    const char* history = "1 mail granted; 1 cookie granted";
    const char* purpose = "email_marketing";
    const char* channel = "email_tool";
};

Passed pass(const Asked& asked, Field field) {
    static const Policy policy = shop();
    const auto members = tests::with_history(asked.history, asked.purpose);
    const Gate gate(policy, members,
                    {.purpose = asked.purpose, .channel = asked.channel, .now = day(5)});
    return gate.pass(field);
}

std::string outcome(const Passed& passed) {
    if (const auto* withheld = std::get_if<Withheld>(&passed))
        return std::string(to_string(withheld->decision().reason));
    return std::get<Released>(passed).json();
}

using Labels = std::vector<std::string>;
const Labels kNone;
const Labels kName = {"name"};
const Labels kPhone = {"contact.phone"};
const Labels kEmail = {"contact.email"};
const Labels kNameAndPhone = {"name", "contact.phone"};
const Labels kCommerceAndEmail = {"commerce", "contact.email"};
const Labels kEmailAndCommerce = {"contact.email", "commerce"};
const Labels kTaste = {"taste"};
const Labels kAnalytics = {"analytics"};
const Labels kMarketing = {"email_marketing"};

Field field(const Labels& labels, std::string_view json = R"("x")") {
    return {.name = "field", .labels = labels, .datum = tests::datum("cookie", 5), .json = json};
}

TEST_CASE("a field passes when its labels, its purposes and the consents allow it") {
    CHECK(outcome(pass({}, field(kName))) == R"("x")");
    CHECK(outcome(pass({}, field(kName, R"({"a":[1,null]})"))) == R"({"a":[1,null]})");
}

TEST_CASE("every label of a field must be one that the channel may receive") {
    CHECK(outcome(pass({}, field(kNone))) == "unmapped");
    CHECK(outcome(pass({}, field(kPhone))) == "label_not_allowed");
    CHECK(outcome(pass({}, field(kNameAndPhone))) == "label_not_allowed");
}

TEST_CASE("what was collected for other purposes does not pass") {
    CHECK(outcome(pass({}, field(kTaste))) == "not_collected_for");
    auto named = field(kName);
    named.collected_for = kAnalytics;
    CHECK(outcome(pass({}, named)) == "not_collected_for");
    named.collected_for = kMarketing;
    CHECK(outcome(pass({}, named)) == R"("x")");
}

TEST_CASE("without consent the reason is that of the decision") {
    CHECK(outcome(pass({.history = ""}, field(kName))) == "never_asked");
    CHECK(outcome(pass({.history = "1 mail granted; 2 mail withdrawn"}, field(kName))) ==
          "withdrawn");
    const auto passed = pass({.history = "1 mail withdrawn"}, field(kName));
    CHECK(std::get<Withheld>(passed).decision().evidence == tests::record_id(1));
}

TEST_CASE("a question without an answer comes before everything else") {
    CHECK(outcome(pass({.purpose = "spying"}, field(kNone))) == "purpose_unknown");
    CHECK(outcome(pass({.channel = "stranger"}, field(kNone))) == "channel_unknown");
    CHECK(outcome(pass({.channel = "ads_tool"}, field(kNone))) == "purpose_not_registered");
}

TEST_CASE("a hashed field leaves as the SHA-256 of its normal form, or not at all") {
    const Asked ads{.purpose = "advertising", .channel = "ads_tool"};
    auto email = field(kEmail, R"(" A@shop.example")");
    CHECK(outcome(pass(ads, email)) == "not_hashable");  // no normal form
    email.normal = "a@shop.example";
    CHECK(outcome(pass(ads, email)) ==
          R"("f1a380e36299cc9e667d3485ebf78d8f0189d684d776a66cc9f26a54d82dc76c")");
    email.json = "42";
    CHECK(outcome(pass(ads, email)) == "not_hashable");
    email.json = R"(["a@shop.example"])";
    CHECK(outcome(pass(ads, email)) == "not_hashable");
}

TEST_CASE("a contact that cannot be told passes nowhere") {
    auto email = field(kEmail, R"("nobody at all")");
    CHECK(outcome(pass({}, email)) == R"("nobody at all")");
    email.is_contact = true;
    CHECK(outcome(pass({}, email)) == "unparsable");
    email.datum.value = tests::token("mail");
    CHECK(outcome(pass({}, email)) == R"("nobody at all")");
}

TEST_CASE("a body writes a purpose as the policy declares it, or nothing") {
    const auto policy = shop();
    const Gate gate(policy, {}, {.purpose = "a@shop.example", .channel = "ads_tool"});
    ReleasedBody body;
    CHECK(std::move(body.purpose(gate)).finish().body == R"("")");
}

TEST_CASE("of several labels the strictest transform holds") {
    const Asked ads{.purpose = "advertising", .channel = "ads_tool"};
    auto both = field(kCommerceAndEmail);
    both.normal = "abc";
    CHECK(outcome(pass(ads, both)) ==
          R"("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")");
    auto reversed = both;
    reversed.labels = kEmailAndCommerce;
    CHECK(outcome(pass(ads, reversed)) == outcome(pass(ads, both)));
}

TEST_CASE("a body is composed of literals, numbers, ids and what was released") {
    auto one = field(kName, R"("\"Ann\"")");
    one.name = "first\"name\n";
    one.source = "web";
    one.time = cdp::timestamp_of(0);
    const auto passed = pass({}, one);
    const auto& released = std::get<Released>(passed);
    const auto refused = pass({.history = ""}, field(kPhone));
    const auto policy = shop();
    const Gate gate(policy, {}, {.purpose = "advertising", .channel = "ads_tool", .now = day(5)});
    ReleasedBody traits;
    traits.name(released).text(":{\"value\":").value(released);
    traits.text(",\"time\":").time(released.time());
    traits.text(",\"source\":").source(released).text("}");
    ReleasedBody body;
    body.text("{\"person\":\"").id(cdp::PersonId{}).text("\",\"purpose\":");
    body.purpose(gate).text(",\"traits\":{").append(traits);
    body.text("},\"withheld\":[").withheld(std::get<Withheld>(refused));
    body.text("],\"n\":").number(std::uint64_t{7}).text("}");
    CHECK(std::move(body).finish().body ==
          R"({"person":"00000000000000000000000000000000","purpose":"advertising",)"
          R"("traits":{"first\"name\u000a":{"value":"\"Ann\"","time":"1970-01-01T00:00:00.000Z",)"
          R"("source":"web"}},"withheld":[{"field":"field","reason":"label_not_allowed"}],"n":7})");
}

}  // namespace
