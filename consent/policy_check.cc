#include <algorithm>
#include <set>
#include <utility>

#include "consent/policy.h"

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
           name.find("//") == std::string_view::npos;
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
        const bool targets = purpose.regime == Regime::identifier_opt_in;
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

Checked check_channel(const Policy& policy, const Channel& channel, const Path& path) {
    if (channel.purposes.empty())
        return wrong("no_purpose", "Channel " + quoted(channel.id) + " has no purpose.",
                     path + "/purposes");
    CDP_CHECK(check_known_purposes(policy, channel.purposes, path + "/purposes"));
    CDP_CHECK(check_names(
        channel.labels, [](const ChannelLabel& l) -> std::string_view { return l.label; },
        path + "/labels"));
    for (std::size_t i = 0; i < channel.labels.size(); ++i)
        if (!policy.find_label(channel.labels[i].label))
            return wrong("unknown_label",
                         "Label " + quoted(channel.labels[i].label) + " is not declared.",
                         at(path + "/labels", i));
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
    CDP_CHECK(check_map(policy, policy.traits, "/traits"));
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
