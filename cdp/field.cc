#include "cdp/field.h"

#include <algorithm>
#include <vector>

#include "cdp/json_scan.h"

namespace cdp {
namespace {

using Types = std::vector<const identity::IdentifierType*>;

// The types of contact that a field may hold: the one of its name, else those of its labels.
Types contact_types(const Config& config, std::string_view name,
                    std::span<const std::string> labels) {
    const auto& all = config.types.all();
    const auto named = all.find(name);
    if (named != all.end() && is_contact(named->second.link_class)) return {&named->second};
    Types types;
    for (const auto& [type, of_type] : config.policy.identifier_types) {
        const auto known = all.find(type);
        if (known == all.end() || !is_contact(known->second.link_class)) continue;
        if (std::ranges::find_first_of(labels, of_type) != labels.end())
            types.push_back(&known->second);
    }
    return types;
}

// The text that may be an identifier: a string, or an integer as it was sent.
std::optional<std::string> text_of(std::string_view json) {
    if (json.size() >= 2 && json.front() == '"')
        return json::unescape(json.substr(1, json.size() - 2));
    const bool digits =
        !json.empty() && std::ranges::all_of(json, [](char c) { return '0' <= c && c <= '9'; });
    return digits ? std::optional<std::string>(json) : std::nullopt;
}

std::optional<Contact> read_contact(const Types& types, const std::string& region,
                                    const storage::Vault& vault, std::string_view json) {
    const auto text = text_of(json);
    if (!text) return std::nullopt;
    for (const auto* type : types) {
        auto form = identity::normal_form(*type, *text, region);
        if (auto* normal = std::get_if<std::string>(&form))
            return Contact{type->name, *normal, vault.token(type->name, *normal)};
    }
    return std::nullopt;
}

void add_label(consent::Labels& labels, const std::string& label) {
    if (std::ranges::find(labels, label) == labels.end()) labels.push_back(label);
}

// Adds what the members inside a value are.
void look_inside(const Config& config, std::string_view json, bool of_event, FieldClass& found) {
    for (const auto& [key, value] : json::members_of(json)) {
        if (const auto name = json::unescape(key)) {
            const auto labels = of_event ? config.policy.labels_of_property(*name)
                                         : config.policy.labels_of_trait(*name);
            for (const auto& label : labels) add_label(found.labels, label);
            if (!contact_types(config, *name, labels).empty()) found.is_contact = true;
        }
        look_inside(config, value, of_event, found);
    }
    json::Scan scan(json);
    if (!scan.take('[') || scan.take(']')) return;
    do {
        const auto element = scan.value();
        if (!element) return;
        look_inside(config, *element, of_event, found);
    } while (scan.take(','));
}

}  // namespace

FieldClass classify(const Config& config, const storage::Vault& vault, const FieldText& field) {
    FieldClass found;
    if (field.labels.empty()) return found;
    for (const auto& label : field.labels) add_label(found.labels, label);
    if (const auto types = contact_types(config, field.name, field.labels); !types.empty()) {
        found.is_contact = true;
        found.contact = read_contact(types, config.region_of(field.source), vault, field.json);
    }
    if (!found.contact) look_inside(config, field.json, field.of_event, found);
    return found;
}

}  // namespace cdp
