#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"

// What may be asked for, who may receive it, and what class of data each trait is: configuration,
// plain values. Nothing here is about a person.
namespace consent {

// What it takes before data may be used for a purpose.
enum class Regime : std::uint8_t {
    identifier_opt_in,  // a grant on the very address that will be used (e-mail marketing)
    person_opt_in,      // a grant on the identifier under which the datum was collected
    person_opt_out,     // allowed until somebody objects
    contract,           // consent is not the basis
};

// Names are hierarchical by '/': what was said about `marketing` covers `marketing/email`.
struct Purpose {
    std::string name = {};
    Regime regime = Regime::person_opt_in;
    // identifier_opt_in only: the identifier types that the purpose addresses, `email`.
    std::vector<std::string> target_types = {};
};

enum class Transform : std::uint8_t { raw, sha256 };

struct ChannelLabel {
    std::string label = {};
    Transform transform = Transform::raw;
};

// A downstream recipient, as registered.
struct Channel {
    std::string id = {};
    std::string recipient = {};              // the legal entity
    std::string country = {};                // ISO 3166-1 alpha-2
    std::vector<std::string> purposes = {};  // an ancestor registers its descendants
    std::vector<ChannelLabel> labels = {};   // what it may receive, and how
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

    // Consent category of an SDK (normal form, see purpose_of_category) -> purpose.
    std::map<std::string, std::string, std::less<>> category_aliases = {};

    // nullptr, or an empty span, when there is none. Views live as long as the policy.
    const Purpose* find_purpose(std::string_view name) const;
    const Channel* find_channel(std::string_view id) const;
    const Label* find_label(std::string_view name) const;
    std::span<const std::string> labels_of_trait(std::string_view name) const;
    // What a property is by its own name: as listed among properties, else among traits. What its
    // event is comes on top.
    std::span<const std::string> labels_of_property(std::string_view name) const;
    std::span<const std::string> labels_of_identifier(std::string_view type) const;
    std::span<const std::string> labels_of_event(std::string_view name) const;
};

// DESIGN section 15's purposes and channels, Segment's reserved traits and ecommerce events.
Policy default_policy();

// The policy itself, or the first thing that is wrong with it; the error's pointer names the place
// (/channels/0/labels/2). A policy that was not checked must not be used.
cdp::Result<Policy> check(Policy policy);

// `said` is `asked` or one of its ancestors.
bool covers(std::string_view said, std::string_view asked);

// A record may name this purpose: it is declared, or an ancestor of a declared one.
bool may_be_named(const Policy& policy, std::string_view purpose);

// The purpose an SDK's consent category stands for: lower-cased, white space to `_`, then aliases.
// nullopt for a category nobody configured; the caller ignores it and counts.
std::optional<std::string> purpose_of_category(const Policy& policy, std::string_view category);

std::string_view to_string(Regime value);
std::optional<Regime> parse_regime(std::string_view name);
std::string_view to_string(Transform value);
std::optional<Transform> parse_transform(std::string_view name);

}  // namespace consent
