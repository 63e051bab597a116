#include <algorithm>
#include <set>
#include <utility>

#include "consent/policy.h"
#include "consent/provenance.h"
#include "consent/signal_effect.h"

namespace consent {
namespace {

using Path = std::string;

cdp::Error wrong(std::string reason, std::string message, Path path) {
    return {.code = cdp::ErrorCode::invalid_argument,
            .reason = std::move(reason),
            .message = std::move(message),
            .pointer = std::move(path)};
}

Path at(const Path& path, std::size_t i) {
    return path + '/' + std::to_string(i);
}

// A map's key as a step of a JSON pointer (RFC 6901).
Path at(const Path& path, std::string_view key) {
    Path step = path + '/';
    for (const char c : key) {
        if (c == '~')
            step += "~0";
        else if (c == '/')
            step += "~1";
        else
            step += c;
    }
    return step;
}

std::string quoted(std::string_view name) {
    return "'" + std::string(name) + "'";
}

using Checked = cdp::Result<void>;

// No name is empty, none appears twice. `name` gives that of one element.
template <typename T, typename Name>
Checked check_names(const std::vector<T>& all, Name name, const Path& path) {
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::string_view one = name(all[i]);
        if (one.empty()) return wrong("empty_name", "A name is empty.", at(path, i));
        if (!seen.insert(one).second)
            return wrong("duplicate_name", quoted(one) + " appears twice.", at(path, i));
    }
    return Checked::ok();
}

// A record's ancestors are found by '/', so an empty step would match nothing anybody meant.
bool is_purpose_name(std::string_view name) {
    return !name.starts_with('/') && !name.ends_with('/') &&
           name.find("//") == std::string_view::npos && name != kAllPurposes && name != kNoPurpose;
}

bool needs_none(Regime regime) {
    return regime == Regime::contract || regime == Regime::legal_obligation;
}

bool is_country(std::string_view text) {
    const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    return text.size() == 2 && upper(text[0]) && upper(text[1]);
}

// ISO 3166-1, or -2: KR, US-CA.
bool is_jurisdiction(std::string_view text) {
    const auto part = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
    if (!is_country(text.substr(0, 2))) return false;
    if (text.size() == 2) return true;
    return text[2] == '-' && text.size() > 3 && text.size() <= 6 &&
           std::ranges::all_of(text.substr(3), part);
}

Checked check_places(const std::vector<std::string>& places, const Path& path) {
    for (std::size_t i = 0; i < places.size(); ++i)
        if (!is_jurisdiction(places[i]))
            return wrong("malformed_jurisdiction",
                         quoted(places[i]) + " is no ISO 3166 code such as KR or US-CA.",
                         at(path, i));
    return Checked::ok();
}

// Two rows that fit one question equally well would contradict each other.
bool collide(const RegimeRow& a, const RegimeRow& b) {
    const auto meet = [](const std::vector<std::string>& one, const std::vector<std::string>& two) {
        if (one.empty() || two.empty()) return one.empty() && two.empty();
        return std::ranges::find_first_of(one, two) != one.end();
    };
    return meet(a.jurisdictions, b.jurisdictions) && meet(a.channels, b.channels);
}

Checked check_regimes(const Policy& policy, const Purpose& purpose, const Path& path) {
    for (std::size_t i = 0; i < purpose.regimes.size(); ++i) {
        const RegimeRow& row = purpose.regimes[i];
        const Path here = at(path + "/regimes", i);
        CDP_CHECK(check_places(row.jurisdictions, here + "/jurisdictions"));
        for (std::size_t c = 0; c < row.channels.size(); ++c)
            if (!policy.find_channel(row.channels[c]))
                return wrong("unknown_channel",
                             "Channel " + quoted(row.channels[c]) + " is not declared.",
                             at(here + "/channels", c));
        if (purpose.sends() == MessageClass::marketing && needs_none(row.regime))
            return wrong("marketing_without_consent",
                         "Marketing rests on consent or on the right to object.", here + "/regime");
        for (std::size_t b = 0; b < i; ++b)
            if (collide(purpose.regimes[b], row))
                return wrong("regimes_collide",
                             "Two rows give one place and channel a regime each.", here);
    }
    if (purpose.message_class == MessageClass::marketing && needs_none(purpose.regime))
        return wrong("marketing_without_consent",
                     "Marketing rests on consent or on the right to object.",
                     path + "/message_class");
    return Checked::ok();
}

Checked check_signals(const Purpose& purpose, const Path& path) {
    CDP_CHECK(check_names(
        purpose.signals, [](const std::string& n) -> std::string_view { return n; },
        path + "/signals"));
    const auto known = signal_keys();
    for (std::size_t i = 0; i < purpose.signals.size(); ++i)
        if (std::ranges::find(known, std::string_view(purpose.signals[i])) == known.end())
            return wrong("unknown_signal", "There is no signal " + quoted(purpose.signals[i]) + ".",
                         at(path + "/signals", i));
    return Checked::ok();
}

bool addresses(const Purpose& purpose) {
    return purpose.regime == Regime::identifier_opt_in ||
           std::ranges::find(purpose.regimes, Regime::identifier_opt_in, &RegimeRow::regime) !=
               purpose.regimes.end();
}

Checked check_purposes(const Policy& policy) {
    CDP_CHECK(check_names(
        policy.purposes, [](const Purpose& p) -> std::string_view { return p.name; }, "/purposes"));
    for (std::size_t i = 0; i < policy.purposes.size(); ++i) {
        const Purpose& purpose = policy.purposes[i];
        const Path path = at("/purposes", i);
        if (!is_purpose_name(purpose.name))
            return wrong("malformed_purpose",
                         "The steps of purpose " + quoted(purpose.name) + " are not all named.",
                         path + "/name");
        CDP_CHECK(check_regimes(policy, purpose, path));
        CDP_CHECK(check_signals(purpose, path));
        const bool targets = addresses(purpose);
        if (targets && purpose.target_types.empty())
            return wrong("no_target",
                         "Purpose " + quoted(purpose.name) + " addresses no identifier type.",
                         path + "/target_types");
        if (!targets && !purpose.target_types.empty())
            return wrong("needless_target",
                         "Only a purpose of regime identifier_opt_in has target types.",
                         path + "/target_types");
        for (std::size_t t = 0; t < purpose.target_types.size(); ++t)
            if (!policy.identifier_types.contains(purpose.target_types[t]))
                return wrong(
                    "unknown_target",
                    "No identifier type " + quoted(purpose.target_types[t]) + " has a label.",
                    at(path + "/target_types", t));
    }
    return Checked::ok();
}

Checked check_known_purposes(const Policy& policy, const std::vector<std::string>& names,
                             const Path& path) {
    CDP_CHECK(check_names(names, [](const std::string& n) -> std::string_view { return n; }, path));
    for (std::size_t i = 0; i < names.size(); ++i)
        if (!is_declared(policy, names[i]))
            return wrong("unknown_purpose", "Purpose " + quoted(names[i]) + " is not declared.",
                         at(path, i));
    return Checked::ok();
}

Checked check_labels(const Policy& policy, const Labels& labels, const Path& path) {
    CDP_CHECK(
        check_names(labels, [](const std::string& n) -> std::string_view { return n; }, path));
    if (labels.empty()) return wrong("no_label", "A label is missing.", path);
    for (std::size_t i = 0; i < labels.size(); ++i)
        if (!policy.find_label(labels[i]))
            return wrong("unknown_label", "Label " + quoted(labels[i]) + " is not declared.",
                         at(path, i));
    return Checked::ok();
}

// A member that another transform would not read was meant to do something.
Checked check_channel_label(const Policy& policy, const ChannelLabel& label, const Path& path) {
    if (!policy.find_label(label.label))
        return wrong("unknown_label", "Label " + quoted(label.label) + " is not declared.", path);
    const auto forms = hash_forms();
    const bool hashes = label.transform == Transform::sha256;
    if (!label.form.empty() && !hashes)
        return wrong("needless_form", "Only a hash has a form.", path + "/form");
    if (!label.form.empty() &&
        std::ranges::find(forms, std::string_view(label.form)) == forms.end())
        return wrong("unknown_form", "There is no form " + quoted(label.form) + ".",
                     path + "/form");
    const bool cuts = label.transform == Transform::truncate;
    if (cuts != (label.length > 0))
        return wrong(cuts ? "no_length" : "needless_length",
                     "What is truncated, and nothing else, has a length.", path + "/length");
    return Checked::ok();
}

Checked check_channel(const Policy& policy, const Channel& channel, const Path& path) {
    if (channel.purposes.empty())
        return wrong("no_purpose", "Channel " + quoted(channel.id) + " has no purpose.",
                     path + "/purposes");
    CDP_CHECK(check_known_purposes(policy, channel.purposes, path + "/purposes"));
    CDP_CHECK(check_names(
        channel.labels, [](const ChannelLabel& l) -> std::string_view { return l.label; },
        path + "/labels"));
    for (std::size_t i = 0; i < channel.labels.size(); ++i)
        CDP_CHECK(check_channel_label(policy, channel.labels[i], at(path + "/labels", i)));
    if (!channel.country.empty() && !is_country(channel.country))
        return wrong("malformed_country", "A country is two capital letters.", path + "/country");
    if (channel.transfer != TransferBasis::none && channel.country.empty())
        return wrong("no_country", "A transfer goes to a country.", path + "/country");
    if (channel.role != ChannelRole::processor && channel.recipient.empty())
        return wrong("no_recipient", "Who decides about data for itself has a name.",
                     path + "/recipient");
    if (!channel.deletion_endpoint.empty() && !channel.deletion_endpoint.starts_with("https://"))
        return wrong("malformed_endpoint", "A deletion endpoint begins with https://.",
                     path + "/deletion_endpoint");
    return Checked::ok();
}

Checked check_map(const Policy& policy, const LabelMap& map, const Path& path) {
    for (const auto& [name, labels] : map) {
        if (name.empty()) return wrong("empty_name", "A name is empty.", at(path, name));
        CDP_CHECK(check_labels(policy, labels, at(path, name)));
    }
    return Checked::ok();
}

Checked check_events(const Policy& policy) {
    CDP_CHECK(check_names(
        policy.events, [](const EventRule& r) -> std::string_view { return r.pattern; },
        "/events"));
    for (std::size_t i = 0; i < policy.events.size(); ++i) {
        const auto star = policy.events[i].pattern.find('*');
        if (star != std::string::npos && star + 1 != policy.events[i].pattern.size())
            return wrong("malformed_pattern", "A pattern has its '*' at the end.",
                         at("/events", i) + "/pattern");
        CDP_CHECK(check_labels(policy, policy.events[i].labels, at("/events", i) + "/labels"));
    }
    return check_labels(policy, policy.event_default, "/event_default");
}

bool is_of_day(std::chrono::minutes time) {
    return time.count() >= 0 && time < std::chrono::hours(24);
}

Checked check_quiet_hours(const Policy& policy) {
    for (std::size_t i = 0; i < policy.quiet_hours.size(); ++i) {
        const QuietHours& rule = policy.quiet_hours[i];
        const Path path = at("/quiet_hours", i);
        if (!is_jurisdiction(rule.jurisdiction))
            return wrong("malformed_jurisdiction", "Quiet hours are of an ISO 3166 place.",
                         path + "/jurisdiction");
        if (rule.mediums.empty())
            return wrong("no_medium", "Quiet hours name the mediums they are for.",
                         path + "/mediums");
        if (!is_of_day(rule.from) || !is_of_day(rule.until) || rule.from == rule.until ||
            std::chrono::abs(rule.offset) > std::chrono::hours(14))
            return wrong("malformed_hours", "Quiet hours are two different times of a day.", path);
        // What was said about a purpose of people's daytime must not open the night.
        if (rule.unless_granted.empty()) continue;
        const auto of_day = [&](const Purpose& purpose) {
            return purpose.name != rule.unless_granted && covers(purpose.name, rule.unless_granted);
        };
        if (!is_purpose_name(rule.unless_granted) || std::ranges::any_of(policy.purposes, of_day))
            return wrong("night_not_separate",
                         "Consent to quiet hours is a purpose of its own, below no other.",
                         path + "/unless_granted");
    }
    return Checked::ok();
}

Checked check_clocks(const Policy& policy) {
    CDP_CHECK(check_quiet_hours(policy));
    for (std::size_t i = 0; i < policy.reconfirmations.size(); ++i) {
        const Reconfirmation& rule = policy.reconfirmations[i];
        const Path path = at("/reconfirmations", i);
        if (!is_jurisdiction(rule.jurisdiction))
            return wrong("malformed_jurisdiction", "A reconfirmation is of an ISO 3166 place.",
                         path + "/jurisdiction");
        if (rule.every.count() <= 0)
            return wrong("malformed_clock", "A reconfirmation is due after days.",
                         path + "/every_days");
    }
    return check_places(policy.advertisement_label, "/advertisement_label");
}

Checked check_traits(const Policy& policy) {
    CDP_CHECK(check_map(policy, policy.traits, "/traits"));
    for (const auto& [name, purposes] : policy.trait_purposes) {
        const Path path = at("/trait_purposes", name);
        if (!policy.traits.contains(name))
            return wrong("unknown_trait", "Trait " + quoted(name) + " has no label.", path);
        if (purposes.empty())
            return wrong("no_purpose", "Trait " + quoted(name) + " was collected for something.",
                         path);
        CDP_CHECK(check_known_purposes(policy, purposes, path));
    }
    return Checked::ok();
}

Checked check_aliases(const Policy& policy) {
    for (const auto& [category, purpose] : policy.category_aliases) {
        const Path path = at("/category_aliases", category);
        if (category.empty()) return wrong("empty_name", "A name is empty.", path);
        if (!is_declared(policy, purpose))
            return wrong("unknown_purpose", "Purpose " + quoted(purpose) + " is not declared.",
                         path);
    }
    return Checked::ok();
}

Checked check_all(const Policy& policy) {
    CDP_CHECK(check_names(
        policy.labels, [](const Label& l) -> std::string_view { return l.name; }, "/labels"));
    CDP_CHECK(check_purposes(policy));
    for (std::size_t i = 0; i < policy.labels.size(); ++i)
        CDP_CHECK(check_known_purposes(policy, policy.labels[i].collected_for,
                                       at("/labels", i) + "/collected_for"));
    CDP_CHECK(check_names(
        policy.channels, [](const Channel& c) -> std::string_view { return c.id; }, "/channels"));
    for (std::size_t i = 0; i < policy.channels.size(); ++i)
        CDP_CHECK(check_channel(policy, policy.channels[i], at("/channels", i)));
    CDP_CHECK(check_traits(policy));
    CDP_CHECK(check_clocks(policy));
    CDP_CHECK(check_map(policy, policy.properties, "/properties"));
    CDP_CHECK(check_map(policy, policy.identifier_types, "/identifier_types"));
    CDP_CHECK(check_labels(policy, policy.identifier_default, "/identifier_default"));
    CDP_CHECK(check_events(policy));
    return check_aliases(policy);
}

}  // namespace

cdp::Result<Policy> check(Policy policy) {
    CDP_CHECK(check_all(policy));
    return policy;
}

}  // namespace consent
