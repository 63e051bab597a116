#include "api/config_policy.h"

#include <charconv>

#include "api/config_retention.h"
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

std::uint32_t read_number(ConfigTable& table, std::string_view key, std::int64_t high) {
    std::int64_t number = 0;
    table.read(key, 0, high, number);
    return static_cast<std::uint32_t>(number);
}

// Words that stand for values, in a list.
template <typename Value, typename Parse>
void read_words(ConfigTable& table, std::string_view key, Parse parse, const char* message,
                std::vector<Value>& out) {
    std::vector<std::string> words;
    table.read(key, words);
    for (const auto& word : words) {
        const auto value = parse(word);
        if (!value) return table.blame(key, message);
        out.push_back(*value);
    }
}

// 21:00
void read_time_of_day(ConfigTable& table, std::string_view key, std::chrono::minutes& out) {
    std::string text;
    table.read(key, text);
    const auto digits = [&](std::size_t at) {
        const int tens = text[at] - '0';
        const int ones = text[at + 1] - '0';
        const bool known = tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9;
        return known ? tens * 10 + ones : 99;
    };
    const bool shaped = text.size() == 5 && text[2] == ':';
    if (!shaped || digits(0) > 23 || digits(3) > 59)
        return table.blame(key, "A time of the day is expected, such as 21:00.");
    out = std::chrono::hours(digits(0)) + std::chrono::minutes(digits(3));
}

void read_clocks(ConfigTable& document, consent::Policy& out) {
    std::vector<consent::QuietHours> hours;
    const auto quiet = [&](ConfigTable& table) {
        auto& rule = hours.emplace_back();
        table.read("jurisdiction", rule.jurisdiction);
        read_words(table, "mediums", consent::parse_medium, "There is no such medium.",
                   rule.mediums);
        read_time_of_day(table, "from", rule.from);
        read_time_of_day(table, "until", rule.until);
        std::int64_t east = 0;
        table.read("utc_offset_minutes", -840, 840, east);
        rule.offset = std::chrono::minutes(east);
        table.read("unless_granted", rule.unless_granted);
    };
    if (each_entry(document, "quiet_hours", quiet)) out.quiet_hours = std::move(hours);

    std::vector<consent::Reconfirmation> reconfirmations;
    const auto reconfirm = [&](ConfigTable& table) {
        auto& rule = reconfirmations.emplace_back();
        table.read("jurisdiction", rule.jurisdiction);
        rule.every = std::chrono::days(read_number(table, "every_days", 36'500));
        table.read("or_deny", rule.or_deny);
    };
    if (each_entry(document, "reconfirmations", reconfirm))
        out.reconfirmations = std::move(reconfirmations);

    if (document.has("advertisement_label")) out.advertisement_label.clear();
    document.read("advertisement_label", out.advertisement_label);
    std::int64_t age = out.self_consent_age;
    document.read("self_consent_age", 0, 18, age);
    out.self_consent_age = static_cast<std::uint8_t>(age);
}

void read_regimes(ConfigTable& purpose, std::vector<consent::RegimeRow>& out) {
    each_entry(purpose, "regimes", [&](ConfigTable& table) {
        auto& row = out.emplace_back();
        table.read("jurisdictions", row.jurisdictions);
        table.read("channels", row.channels);
        read_word(table, "regime", consent::parse_regime, "There is no such regime.", row.regime);
    });
}

void read_purposes(ConfigTable& document, consent::Policy& out) {
    std::vector<consent::Purpose> purposes;
    const auto read = [&](const std::string& name, ConfigTable& table) {
        consent::Purpose purpose{.name = name};
        read_word(table, "regime", consent::parse_regime, "There is no such regime.",
                  purpose.regime);
        table.read("target_types", purpose.target_types);
        table.read("signals", purpose.signals);
        if (table.has("message_class"))
            read_word(table, "message_class", consent::parse_message_class,
                      "There is no such class of messages.",
                      purpose.message_class.emplace(consent::MessageClass::marketing));
        read_regimes(table, purpose.regimes);
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
            table.read("form", label.form);
            label.length = read_number(table, "length", 10'000);
            table.finish();
        } else {
            return channel.blame(node, path, "A label is expected.");
        }
        out.push_back(std::move(label));
    }
}

// What the register of recipients says besides what leaves.
void read_recipient(ConfigTable& table, consent::Channel& channel) {
    read_word(table, "role", consent::parse_channel_role, "There is no such role.", channel.role);
    read_word(table, "transfer", consent::parse_transfer_basis,
              "There is no such basis of a transfer.", channel.transfer);
    read_word(table, "medium", consent::parse_medium, "There is no such medium.", channel.medium);
    channel.withdrawal_seconds = read_number(table, "withdrawal_seconds", 366 * 86'400);
    channel.tcf_vendor = static_cast<std::uint16_t>(read_number(table, "tcf_vendor", 65'535));
    channel.google_vendor = read_number(table, "google_vendor", 1'000'000);
    table.read("contact", channel.contact);
    table.read("deletion_endpoint", channel.deletion_endpoint);
}

void read_channels(ConfigTable& document, consent::Policy& out) {
    std::vector<consent::Channel> channels;
    const auto read = [&](const std::string& name, ConfigTable& table) {
        consent::Channel channel{.id = name};
        table.read("recipient", channel.recipient);
        table.read("country", channel.country);
        table.read("purposes", channel.purposes);
        read_channel_labels(table, channel.labels);
        read_recipient(table, channel);
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

    consent::LabelMap trait_purposes;
    if (each_list(document, "trait_purposes",
                  [&](const std::string& name, std::vector<std::string> list) {
                      trait_purposes[name] = std::move(list);
                  }))
        out.trait_purposes = std::move(trait_purposes);

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

// Lists in the file too.
bool is_list(std::string_view table) {
    return table == "identifier_default" || table == "event_default" || table == "quiet_hours" ||
           table == "reconfirmations" || table == "advertisement_label";
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
        const bool named = i == 1 && !is_list(place.table);
        if (named) {
            go(index && *index < place.names.size() ? place.names[*index] : steps[i]);
        } else if (index) {
            out.path += "[" + steps[i] + "]";
            if (node && node->is_array()) node = node->as_array()->get(*index);
            if (node) out.line = node->source().begin.line;
        } else if (place.table == "channels" || place.table == "purposes" || is_list(place.table)) {
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
    read_clocks(document, out.policy);
    read_retention(document, out);
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
