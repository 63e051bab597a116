#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "consent/channel.h"
#include "consent/purpose.h"
#include "consent/record_words.h"

// What may be asked for, who may receive it, and what class of data each trait is: configuration,
// plain values. Nothing here is about a person.
namespace consent {

// Hours at which marketing is not sent by some mediums; it is put off to their end.
struct QuietHours {
    std::string jurisdiction = {};
    std::vector<Medium> mediums = {};
    std::chrono::minutes from{0};     // of the day, local time
    std::chrono::minutes until{0};    // exclusive; before `from`: of the next day
    std::chrono::minutes offset{0};   // of local time, east of UTC
    std::string unless_granted = {};  // a purpose of its own; empty: nothing opens them
};

// A grant is to be confirmed or recalled so often.
struct Reconfirmation {
    std::string jurisdiction = {};
    std::chrono::days every{0};
    bool or_deny = false;  // past it the grant opens nothing; silence is not enough then
};

// A class of data.
struct Label {
    std::string name = {};
    std::vector<std::string> collected_for = {};  // purposes; empty: all
};

// What a track event's name says about its content. `pattern` is an exact name, or a prefix
// followed by
// `*`. An exact name beats a prefix, a longer prefix a shorter one.
struct EventRule {
    std::string pattern = {};
    std::vector<std::string> labels = {};
};

using Labels = std::vector<std::string>;
using LabelMap = std::map<std::string, Labels, std::less<>>;

struct Policy {
    std::vector<Purpose> purposes = {};
    std::vector<Channel> channels = {};
    std::vector<Label> labels = {};

    LabelMap traits = {};            // by exact name; a trait not listed is withheld as `unmapped`
    LabelMap properties = {};        // of events, by exact name; one in neither map is `unmapped`
    LabelMap identifier_types = {};  // by type
    Labels identifier_default = {};  // types not listed
    std::vector<EventRule> events = {};
    Labels event_default = {};  // events that no rule matches

    // What a trait was collected for, where that is less than its labels say; by exact name.
    std::map<std::string, std::vector<std::string>, std::less<>> trait_purposes = {};

    std::vector<QuietHours> quiet_hours = {};
    std::vector<Reconfirmation> reconfirmations = {};
    // Where marketing must say that it is (Korea's `(광고)`).
    std::vector<std::string> advertisement_label = {};
    // A minor who is younger than this says yes with a guardian only.
    std::uint8_t self_consent_age = 16;

    // Consent category of an SDK (normal form, see purpose_of_category) -> purpose.
    std::map<std::string, std::string, std::less<>> category_aliases = {};

    // nullptr, or an empty span, when there is none. Views live as long as the policy.
    const Purpose* find_purpose(std::string_view name) const;
    const Channel* find_channel(std::string_view id) const;
    const Label* find_label(std::string_view name) const;
    std::span<const std::string> labels_of_trait(std::string_view name) const;
    std::span<const std::string> purposes_of_trait(std::string_view name) const;
    // What a property is by its own name: as listed among properties, else among traits. What its
    // event is comes on top.
    std::span<const std::string> labels_of_property(std::string_view name) const;
    // Those of the trait that it is labelled like.
    std::span<const std::string> purposes_of_property(std::string_view name) const;
    std::span<const std::string> labels_of_identifier(std::string_view type) const;
    std::span<const std::string> labels_of_event(std::string_view name) const;
};

// DESIGN section 15's purposes and channels, Segment's reserved traits and ecommerce events.
Policy default_policy();

// The policy itself, or the first thing that is wrong with it; the error's pointer names the place
// (/channels/0/labels/2). A policy that was not checked must not be used.
cdp::Result<Policy> check(Policy policy);

// `said` is `asked`, one of its ancestors or kAllPurposes.
bool covers(std::string_view said, std::string_view asked);

// The jurisdiction or the country that holds it: `US` of `US-CA`.
bool holds_for(std::string_view jurisdiction, std::string_view place);

// It is declared, or an ancestor of a declared one.
bool is_declared(const Policy& policy, std::string_view purpose);

// A record may name this purpose: it is declared, an ancestor of a declared one, kAllPurposes or
// what opens quiet hours.
bool may_be_named(const Policy& policy, std::string_view purpose);

// The purpose an SDK's consent category stands for: lower-cased, white space to `_`, then aliases.
// nullopt for a category nobody configured; the caller ignores it and counts.
std::optional<std::string> purpose_of_category(const Policy& policy, std::string_view category);

}  // namespace consent
