#include <algorithm>
#include <set>

#include "cdp/event_read.h"
#include "cdp/json_scan.h"

namespace cdp::reading {
namespace {

// Names and values are taken from the text, not from the parsed numbers: 1.10 stays 1.10.
void append_traits(std::vector<Trait>& traits, std::string_view object) {
    for (const auto& [key, value] : json::members_of(object)) {
        const bool plain = key.find('\\') == std::string_view::npos;
        traits.push_back({plain ? std::string(key) : *json::unescape(key), json::minify(value)});
    }
}

// The first of each name stays.
void drop_repeated(std::vector<Trait>& traits) {
    std::set<std::string> seen;
    std::erase_if(traits, [&](const Trait& trait) { return !seen.insert(trait.name).second; });
}

void append_preference(std::vector<Preference>& out, std::string_view category, bool granted,
                       Warnings& warnings) {
    if (category.empty() || category.size() > kPreferenceBytesMax)
        return warnings.add("invalid_preference");
    out.push_back({std::string(category), granted});
}

// Segment: a map of category to yes or no. What is neither is a no.
void category_preferences(std::vector<Preference>& out, const json::Value& value,
                          Warnings& warnings) {
    const auto map = json::object_of(value);
    if (!map) {
        if (value) warnings.add("invalid_preference");
        return;
    }
    for (const auto field : *map) {
        if (!field.value.is_bool()) warnings.add("invalid_preference");
        append_preference(out, field.key, json::is_true(field.value), warnings);
    }
}

// RudderStack: a list of ids, or one. False when it is neither.
bool consent_ids(std::vector<Preference>& out, const json::Value& value, bool granted,
                 Warnings& warnings) {
    if (!value) return true;
    if (const auto id = json::string_of(value)) {
        append_preference(out, *id, granted, warnings);
        return true;
    }
    const auto list = json::array_of(value);
    bool readable = list.has_value();
    if (list)
        for (const auto entry : *list) {
            const auto id = json::string_of(entry);
            if (id) append_preference(out, *id, granted, warnings);
            readable = readable && id.has_value();
        }
    if (!readable) warnings.add("invalid_preference");
    return readable;
}

}  // namespace

std::vector<Trait> read_own_traits(const Members& members, Warnings warnings) {
    std::vector<Trait> traits;
    if (!members.traits) return traits;
    if (json::object_of(members.traits))
        append_traits(traits, json::member_of(members.text, "traits"));
    else
        warnings.add("invalid_traits");
    return traits;
}

std::vector<Trait> read_traits(const Members& members, EventType type, Warnings warnings) {
    std::vector<Trait> traits;
    if (type == EventType::identify) traits = read_own_traits(members, warnings);
    if (!members.context_traits) return traits;
    const auto stored = json::object_of(members.context_traits);
    if (!stored) {
        warnings.add("invalid_traits");
        return traits;
    }
    if (stored->size() == 0) return traits;
    const bool own = !traits.empty();
    append_traits(traits, json::member_of(json::member_of(members.text, "context"), "traits"));
    if (own) drop_repeated(traits);
    return traits;
}

std::vector<Preference> read_preferences(const Members& members, Warnings warnings) {
    std::vector<Preference> out;
    if (const auto consent = json::object_of(members.consent))
        category_preferences(out, json::member(*consent, "categoryPreferences"), warnings);
    else if (members.consent)
        warnings.add("invalid_preference");
    if (const auto management = json::object_of(members.consent_management)) {
        // What cannot be read may have denied anything: then nothing is allowed.
        const bool readable =
            consent_ids(out, json::member(*management, "deniedConsentIds"), false, warnings);
        consent_ids(out, json::member(*management, "allowedConsentIds"), readable, warnings);
    } else if (members.consent_management) {
        warnings.add("invalid_preference");
    }

    // By category, a no before a yes, so that a no wins; and when there are too many, a no stays.
    std::sort(out.begin(), out.end(), [](const Preference& a, const Preference& b) {
        return a.category != b.category ? a.category < b.category : a.granted < b.granted;
    });
    const auto same = [](const Preference& a, const Preference& b) {
        return a.category == b.category;
    };
    out.erase(std::unique(out.begin(), out.end(), same), out.end());
    if (out.size() > kPreferencesMax) {
        warnings.add("too_many_preferences");
        std::sort(out.begin(), out.end(), [](const Preference& a, const Preference& b) {
            return a.granted != b.granted ? a.granted < b.granted : a.category < b.category;
        });
        out.resize(kPreferencesMax);
    }
    return out;
}

}  // namespace cdp::reading
