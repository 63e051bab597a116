#include "consent/policy.h"

#include <functional>

#include <catch2/catch.hpp>

namespace {

using namespace consent;

std::vector<std::string> list(std::span<const std::string> labels) {
    return {labels.begin(), labels.end()};
}

TEST_CASE("the default policy loads") {
    const auto checked = check(default_policy());
    REQUIRE(checked);
    CHECK(checked->purposes.size() == 3);
    CHECK(checked->channels.size() == 2);
}

TEST_CASE("a policy that leaves something open is refused, naming the place") {
    struct Row {
        const char* reason;
        const char* pointer;
        std::function<void(Policy&)> spoil;
    };
    const std::vector<Row> rows = {
        {"unknown_label", "/channels/0/labels/0",
         [](Policy& p) { p.channels[0].labels[0].label = "contact.fax"; }},
        {"unknown_label", "/traits/shoe~1size/0",
         [](Policy& p) { p.traits["shoe/size"] = {"feet"}; }},
        {"no_label", "/traits/shoe", [](Policy& p) { p.traits["shoe"] = {}; }},
        {"unknown_label", "/identifier_types/fax/0",
         [](Policy& p) { p.identifier_types["fax"] = {"contact.fax"}; }},
        {"no_label", "/identifier_default", [](Policy& p) { p.identifier_default.clear(); }},
        {"no_label", "/event_default", [](Policy& p) { p.event_default.clear(); }},
        {"unknown_label", "/events/0/labels/0", [](Policy& p) { p.events[0].labels = {"clicks"}; }},
        {"malformed_pattern", "/events/0/pattern",
         [](Policy& p) { p.events[0].pattern = "Order*Completed"; }},
        {"duplicate_name", "/events/1",
         [](Policy& p) { p.events[1].pattern = p.events[0].pattern; }},
        {"no_purpose", "/channels/1/purposes", [](Policy& p) { p.channels[1].purposes.clear(); }},
        {"unknown_purpose", "/channels/1/purposes/0",
         [](Policy& p) { p.channels[1].purposes = {"spying"}; }},
        {"unknown_target", "/purposes/2/target_types/0",
         [](Policy& p) { p.purposes[2].target_types = {"fax"}; }},
        {"no_target", "/purposes/2/target_types",
         [](Policy& p) { p.purposes[2].target_types.clear(); }},
        {"needless_target", "/purposes/0/target_types",
         [](Policy& p) { p.purposes[0].target_types = {"email"}; }},
        {"malformed_purpose", "/purposes/0/name",
         [](Policy& p) { p.purposes[0].name = "advertising/"; }},
        {"empty_name", "/purposes/1", [](Policy& p) { p.purposes[1].name = ""; }},
        {"empty_name", "/channels/1", [](Policy& p) { p.channels[1].id = ""; }},
        {"empty_name", "/labels/3", [](Policy& p) { p.labels[3].name = ""; }},
        {"empty_name", "/traits/", [](Policy& p) { p.traits[""] = {"name"}; }},
        {"duplicate_name", "/purposes/1", [](Policy& p) { p.purposes[1].name = "advertising"; }},
        {"duplicate_name", "/channels/1", [](Policy& p) { p.channels[1].id = "email_tool"; }},
        {"duplicate_name", "/labels/1", [](Policy& p) { p.labels[1].name = "contact.email"; }},
        {"duplicate_name", "/channels/0/labels/1",
         [](Policy& p) { p.channels[0].labels[1].label = "contact.email"; }},
        {"unknown_purpose", "/labels/0/collected_for/0",
         [](Policy& p) { p.labels[0].collected_for = {"spying"}; }},
        {"malformed_purpose", "/purposes/0/name", [](Policy& p) { p.purposes[0].name = "*"; }},
        {"unknown_purpose", "/channels/1/purposes/0",
         [](Policy& p) { p.channels[1].purposes = {"*"}; }},
        {"malformed_jurisdiction", "/purposes/0/regimes/0/jurisdictions/0",
         [](Policy& p) { p.purposes[0].regimes = {{{"Korea"}, {}, Regime::person_opt_in}}; }},
        {"unknown_channel", "/purposes/0/regimes/0/channels/0",
         [](Policy& p) { p.purposes[0].regimes = {{{}, {"fax"}, Regime::person_opt_in}}; }},
        {"regimes_collide", "/purposes/0/regimes/1",
         [](Policy& p) {
             p.purposes[0].regimes = {{{"US", "KR"}, {}, Regime::person_opt_in},
                                      {{"US"}, {}, Regime::person_opt_out}};
         }},
        {"marketing_without_consent", "/purposes/0/regimes/0/regime",
         [](Policy& p) { p.purposes[0].regimes = {{{"US"}, {}, Regime::contract}}; }},
        {"marketing_without_consent", "/purposes/0/message_class",
         [](Policy& p) {
             p.purposes[0].regime = Regime::contract;
             p.purposes[0].message_class = MessageClass::marketing;
         }},
        {"no_target", "/purposes/0/target_types",
         [](Policy& p) { p.purposes[0].regimes = {{{"KR"}, {}, Regime::identifier_opt_in}}; }},
        {"unknown_signal", "/purposes/0/signals/0",
         [](Policy& p) { p.purposes[0].signals = {"tcf/99"}; }},
        {"duplicate_name", "/purposes/0/signals/1",
         [](Policy& p) { p.purposes[0].signals = {"gpc", "gpc"}; }},
        {"unknown_form", "/channels/1/labels/0/form",
         [](Policy& p) { p.channels[1].labels[0].form = "carrier_pigeon"; }},
        {"needless_form", "/channels/0/labels/0/form",
         [](Policy& p) { p.channels[0].labels[0].form = "google"; }},
        {"no_length", "/channels/0/labels/0/length",
         [](Policy& p) { p.channels[0].labels[0].transform = Transform::truncate; }},
        {"needless_length", "/channels/0/labels/0/length",
         [](Policy& p) { p.channels[0].labels[0].length = 3; }},
        {"malformed_country", "/channels/0/country",
         [](Policy& p) { p.channels[0].country = "Korea"; }},
        {"no_country", "/channels/0/country",
         [](Policy& p) { p.channels[0].transfer = TransferBasis::adequacy; }},
        {"no_recipient", "/channels/0/recipient",
         [](Policy& p) {
             p.channels[0].role = ChannelRole::third_party;
             p.channels[0].recipient.clear();
         }},
        {"malformed_endpoint", "/channels/0/deletion_endpoint",
         [](Policy& p) { p.channels[0].deletion_endpoint = "http://shop.example"; }},
        {"malformed_jurisdiction", "/quiet_hours/0/jurisdiction",
         [](Policy& p) { p.quiet_hours[0].jurisdiction.clear(); }},
        {"no_medium", "/quiet_hours/0/mediums",
         [](Policy& p) { p.quiet_hours[0].mediums.clear(); }},
        {"malformed_hours", "/quiet_hours/0",
         [](Policy& p) { p.quiet_hours[0].until = p.quiet_hours[0].from; }},
        {"malformed_hours", "/quiet_hours/0",
         [](Policy& p) { p.quiet_hours[0].from = std::chrono::hours(24); }},
        {"night_not_separate", "/quiet_hours/0/unless_granted",
         [](Policy& p) { p.quiet_hours[0].unless_granted = "advertising/night"; }},
        {"malformed_clock", "/reconfirmations/0/every_days",
         [](Policy& p) { p.reconfirmations[0].every = {}; }},
        {"malformed_jurisdiction", "/advertisement_label/0",
         [](Policy& p) { p.advertisement_label = {"kr"}; }},
        {"unknown_trait", "/trait_purposes/shoe",
         [](Policy& p) { p.trait_purposes["shoe"] = {"analytics"}; }},
        {"no_purpose", "/trait_purposes/email", [](Policy& p) { p.trait_purposes["email"] = {}; }},
        {"unknown_purpose", "/trait_purposes/email/0",
         [](Policy& p) { p.trait_purposes["email"] = {"spying"}; }},
        {"unknown_purpose", "/category_aliases/marketing",
         [](Policy& p) { p.category_aliases["marketing"] = "spying"; }},
    };
    for (const auto& row : rows) {
        auto policy = default_policy();
        row.spoil(policy);
        const auto checked = check(policy);
        CAPTURE(row.reason, row.pointer);
        REQUIRE_FALSE(checked);
        CHECK(checked.error().reason == row.reason);
        CHECK(checked.error().pointer == row.pointer);
        CHECK(checked.error().message.ends_with('.'));
    }
}

TEST_CASE("traits, identifiers and events have the labels of the default policy") {
    const auto policy = default_policy();
    using L = std::vector<std::string>;
    CHECK(list(policy.labels_of_trait("email")) == L{"contact.email"});
    CHECK(list(policy.labels_of_trait("firstName")) == L{"name"});
    CHECK(list(policy.labels_of_trait("first_name")) == L{"name"});
    CHECK(list(policy.labels_of_trait("postalCode")) == L{"contact.address"});
    CHECK(list(policy.labels_of_trait("loyalty_tier")) == L{"commerce"});
    CHECK(list(policy.labels_of_trait("gender")) == L{"demographic"});
    CHECK(list(policy.labels_of_trait("employees")) == L{"work"});
    CHECK(list(policy.labels_of_trait("createdAt")) == L{"account"});
    CHECK(policy.labels_of_trait("religion").empty());
    CHECK(policy.labels_of_trait("Email").empty());
    CHECK(list(policy.labels_of_identifier("email")) == L{"contact.email"});
    CHECK(list(policy.labels_of_identifier("anonymous_id")) == L{"identifier.cookie"});
    CHECK(list(policy.labels_of_identifier("club_card")) == L{"identifier.crm"});
    CHECK(list(policy.labels_of_event("Order Completed")) == L{"commerce"});
    CHECK(list(policy.labels_of_event("order completed")) == L{"behaviour"});
    CHECK(list(policy.labels_of_event("")) == L{"behaviour"});
}

TEST_CASE("an exact event name beats a prefix, a longer prefix a shorter one") {
    auto policy = default_policy();
    policy.events = {{"Order *", {"commerce"}},
                     {"Order Form*", {"account"}},
                     {"Order Form Seen", {"work"}},
                     {"*", {"demographic"}}};
    REQUIRE(check(policy));
    CHECK(policy.labels_of_event("Order Placed")[0] == "commerce");
    CHECK(policy.labels_of_event("Order Form Sent")[0] == "account");
    CHECK(policy.labels_of_event("Order Form Seen")[0] == "work");
    CHECK(policy.labels_of_event("Order")[0] == "demographic");
}

TEST_CASE("a purpose covers itself and what is below it") {
    CHECK(covers("a", "a"));
    CHECK(covers("a", "a/b"));
    CHECK(covers("a/b", "a/b/c"));
    CHECK_FALSE(covers("a/b", "a"));
    CHECK_FALSE(covers("a", "ab"));
    CHECK_FALSE(covers("ab", "a"));
    CHECK_FALSE(covers("", "a"));
}

TEST_CASE("a record may name a declared purpose or an ancestor of one") {
    auto policy = default_policy();
    policy.purposes.push_back({.name = "marketing/email"});
    CHECK(may_be_named(policy, "marketing/email"));
    CHECK(may_be_named(policy, "marketing"));
    CHECK_FALSE(may_be_named(policy, "marketing/email/news"));
    CHECK_FALSE(may_be_named(policy, "market"));
    CHECK_FALSE(may_be_named(policy, ""));
    CHECK(may_be_named(policy, kAllPurposes));  // by what refuses; see check(Record)
    CHECK(may_be_named(policy, "night"));
    CHECK_FALSE(is_declared(policy, kAllPurposes));
    CHECK_FALSE(is_declared(policy, "night"));
    CHECK_FALSE(purpose_of_category(policy, "*"));
}

TEST_CASE("a consent category stands for the purpose of its name, or its alias") {
    auto policy = default_policy();
    policy.category_aliases["c0004"] = "advertising";
    CHECK(purpose_of_category(policy, "Advertising") == "advertising");
    CHECK(purpose_of_category(policy, "Email Marketing") == "email_marketing");
    CHECK(purpose_of_category(policy, "C0004") == "advertising");
    CHECK_FALSE(purpose_of_category(policy, "Functional"));
    CHECK_FALSE(purpose_of_category(policy, ""));
}

}  // namespace
