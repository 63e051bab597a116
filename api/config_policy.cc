#include "api/config_policy.h"

#include <charconv>

#include "api/config_types.h"

namespace api {
namespace {

// Calls `read(name, table)` for each table inside `document[key]`, in the order of the file.
template <typename Read>
bool each_table(ConfigTable& document, std::string_view key, Read read) {
    const auto* found = document.table(key);
    if (!found) return false;
    ConfigTable all(*found, std::string(key), document.fault());
    for (const auto& name : all.keys()) {
        const auto* one = all.table(name);
        if (!one) return true;
        ConfigTable table(*one, all.path_of(name), document.fault());
        read(name, table);
        table.finish();
    }
    return true;
}

// A table whose values are lists of strings.
template <typename Read>
bool each_list(ConfigTable& document, std::string_view key, Read read) {
    const auto* found = document.table(key);
    if (!found) return false;
    ConfigTable all(*found, std::string(key), document.fault());
    for (const auto& name : all.keys()) {
        std::vector<std::string> list;
        all.read(name, list);
        read(name, std::move(list));
    }
    return true;
}

void read_purposes(ConfigTable& document, consent::Policy& out) {
    std::vector<consent::Purpose> purposes;
    const auto read = [&](const std::string& name, ConfigTable& table) {
        consent::Purpose purpose{.name = name};
        read_word(table, "regime", consent::parse_regime, "There is no such regime.",
                  purpose.regime);
        table.read("target_types", purpose.target_types);
        purposes.push_back(std::move(purpose));
    };
    if (each_table(document, "purposes", read)) out.purposes = std::move(purposes);
}

// "name", or {label = "contact.email", transform = "sha256"}
void read_channel_labels(ConfigTable& channel, std::vector<consent::ChannelLabel>& out) {
    const auto* list = channel.array("labels");
    for (std::size_t i = 0; list && i < list->size(); ++i) {
        const auto& node = (*list)[i];
        const auto path = channel.path_of("labels") + "[" + std::to_string(i) + "]";
        consent::ChannelLabel label;
        if (const auto name = node.value_exact<std::string>()) {
            label.label = *name;
        } else if (const auto* entry = node.as_table()) {
            ConfigTable table(*entry, path, channel.fault());
            table.read("label", label.label);
            read_word(table, "transform", consent::parse_transform, "There is no such transform.",
                      label.transform);
            table.finish();
        } else {
            return channel.blame(node, path, "A label is expected.");
        }
        out.push_back(std::move(label));
    }
}

void read_channels(ConfigTable& document, consent::Policy& out) {
    std::vector<consent::Channel> channels;
    const auto read = [&](const std::string& name, ConfigTable& table) {
        consent::Channel channel{.id = name};
        table.read("recipient", channel.recipient);
        table.read("country", channel.country);
        table.read("purposes", channel.purposes);
        read_channel_labels(table, channel.labels);
        channels.push_back(std::move(channel));
    };
    if (each_table(document, "channels", read)) out.channels = std::move(channels);
}

void read_maps(ConfigTable& document, consent::Policy& out) {
    std::vector<consent::Label> labels;
    if (each_list(document, "labels", [&](const std::string& name, std::vector<std::string> list) {
            labels.push_back({.name = name, .collected_for = std::move(list)});
        }))
        out.labels = std::move(labels);

    consent::LabelMap traits;
    if (each_list(document, "traits", [&](const std::string& name, std::vector<std::string> list) {
            traits[name] = std::move(list);
        }))
        out.traits = std::move(traits);

    consent::LabelMap properties;
    if (each_list(document, "properties",
                  [&](const std::string& name, std::vector<std::string> list) {
                      properties[name] = std::move(list);
                  }))
        out.properties = std::move(properties);

    consent::LabelMap types;
    if (each_list(document, "identifier_labels",
                  [&](const std::string& name, std::vector<std::string> list) {
                      types[name] = std::move(list);
                  }))
        out.identifier_types = std::move(types);

    std::vector<consent::EventRule> events;
    if (each_list(document, "events", [&](const std::string& name, std::vector<std::string> list) {
            events.push_back({.pattern = name, .labels = std::move(list)});
        }))
        out.events = std::move(events);
}

void read_categories(ConfigTable& document, consent::Policy& out) {
    const auto* found = document.table("categories");
    if (!found) return;
    ConfigTable table(*found, "categories", document.fault());
    out.category_aliases.clear();
    for (const auto& name : table.keys()) table.read(name, out.category_aliases[name]);
}

// Without a label of its own it would leave as identifier_default says, which is meant for numbers
// that a shop gives out itself.
bool needs_label(const identity::IdentifierType& type) {
    using enum identity::LinkClass;
    return type.link_class == verified_contact || type.link_class == unverified_contact ||
           type.link_class == device || type.form == identity::Form::email ||
           type.form == identity::Form::phone;
}

const identity::IdentifierType* first_unlabelled(const cdp::Config& config) {
    for (const auto& [name, type] : config.types.all())
        if (needs_label(type) && !config.policy.identifier_types.contains(name)) return &type;
    return nullptr;
}

std::vector<std::string> steps_of(std::string_view pointer) {
    std::vector<std::string> out;
    while (!pointer.empty()) {
        pointer.remove_prefix(1);
        const auto end = std::min(pointer.find('/'), pointer.size());
        std::string step;
        for (std::size_t i = 0; i < end; ++i) {
            const bool escaped = pointer[i] == '~' && i + 1 < end;
            step += escaped ? (pointer[++i] == '1' ? '/' : '~') : pointer[i];
        }
        out.push_back(std::move(step));
        pointer.remove_prefix(end);
    }
    return out;
}

std::optional<std::size_t> index_of(std::string_view step) {
    std::size_t n = 0;
    const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), n);
    if (error != std::errc() || end != step.data() + step.size()) return std::nullopt;
    return n;
}

// What the policy's lists are called in the file, where they are tables by name.
struct Place {
    std::string table;
    std::vector<std::string> names;  // of the elements; empty: the pointer has names
};

Place place_of(const std::string& list, const consent::Policy& policy) {
    Place out{.table = list, .names = {}};
    if (list == "purposes")
        for (const auto& purpose : policy.purposes) out.names.push_back(purpose.name);
    if (list == "channels")
        for (const auto& channel : policy.channels) out.names.push_back(channel.id);
    if (list == "labels")
        for (const auto& label : policy.labels) out.names.push_back(label.name);
    if (list == "events")
        for (const auto& rule : policy.events) out.names.push_back(rule.pattern);
    if (list == "identifier_types") out.table = "identifier_labels";
    if (list == "category_aliases") out.table = "categories";
    return out;
}

// The place in the file that a pointer into the policy means.
ConfigFault fault_at(const std::string& pointer, const consent::Policy& policy,
                     const toml::table& document) {
    const auto steps = steps_of(pointer);
    ConfigFault out;
    const toml::node* node = &document;
    const auto go = [&](const std::string& key) {
        out.path += (out.path.empty() ? "" : ".") + toml_key(key);
        if (node) node = node->is_table() ? node->as_table()->get(key) : nullptr;
        if (node) out.line = node->source().begin.line;
    };
    const auto place = place_of(steps.empty() ? std::string() : steps[0], policy);
    if (!place.table.empty()) go(place.table);
    for (std::size_t i = 1; i < steps.size(); ++i) {
        const auto index = index_of(steps[i]);
        const bool named =
            i == 1 && place.table != "identifier_default" && place.table != "event_default";
        if (named) {
            go(index && *index < place.names.size() ? place.names[*index] : steps[i]);
        } else if (index) {
            out.path += "[" + steps[i] + "]";
            if (node && node->is_array()) node = node->as_array()->get(*index);
            if (node) out.line = node->source().begin.line;
        } else if (place.table == "channels" || place.table == "purposes") {
            go(steps[i]);
        }
    }
    return out;
}

}  // namespace

void read_policy(ConfigTable& document, cdp::Config& out) {
    read_identifier_types(document, out.types);
    read_purposes(document, out.policy);
    read_channels(document, out.policy);
    read_maps(document, out.policy);
    read_categories(document, out.policy);
    document.read("identifier_default", out.policy.identifier_default);
    document.read("event_default", out.policy.event_default);
}

void check_policy(const toml::table& document, cdp::Config& config,
                  std::optional<ConfigFault>& fault) {
    std::string pointer;
    std::string message;
    if (const auto checked = consent::check(config.policy); !checked) {
        pointer = checked.error().pointer;
        message = checked.error().message;
    } else if (const auto* type = first_unlabelled(config)) {
        pointer = "/identifier_types";
        message = "Type '" + type->name + "' names a contact or a device and has no label.";
    } else {
        return;
    }
    fault = fault_at(pointer, config.policy, document);
    fault->message = std::move(message);
    if (fault->line == 0) fault->path += " (a default)";
}

}  // namespace api
