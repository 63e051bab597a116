#include "consent/policy.h"

#include <algorithm>
#include <utility>

#include "consent/names.h"

namespace consent {
namespace {

using namespace std::string_view_literals;

constexpr Names kMessageClasses{std::pair{MessageClass::marketing, "marketing"sv},
                                std::pair{MessageClass::service, "service"sv}};
constexpr Names kRegimes{std::pair{Regime::identifier_opt_in, "identifier_opt_in"sv},
                         std::pair{Regime::person_opt_in, "person_opt_in"sv},
                         std::pair{Regime::person_opt_out, "person_opt_out"sv},
                         std::pair{Regime::contract, "contract"sv},
                         std::pair{Regime::legal_obligation, "legal_obligation"sv}};

template <typename T, typename Key>
const T* find_by(const std::vector<T>& all, Key T::* key, std::string_view name) {
    const auto found = std::ranges::find(all, name, key);
    return found == all.end() ? nullptr : &*found;
}

std::span<const std::string> find_labels(const LabelMap& map, std::string_view name) {
    const auto found = map.find(name);
    if (found == map.end()) return {};
    return found->second;
}

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

std::string_view to_string(Regime value) {
    return kRegimes.name(value);
}
std::optional<Regime> parse_regime(std::string_view name) {
    return kRegimes.value(name);
}
std::string_view to_string(MessageClass value) {
    return kMessageClasses.name(value);
}
std::optional<MessageClass> parse_message_class(std::string_view name) {
    return kMessageClasses.value(name);
}

MessageClass Purpose::sends() const {
    const bool needs_none = regime == Regime::contract || regime == Regime::legal_obligation;
    return message_class.value_or(needs_none ? MessageClass::service : MessageClass::marketing);
}

const Purpose* Policy::find_purpose(std::string_view name) const {
    return find_by(purposes, &Purpose::name, name);
}
const Channel* Policy::find_channel(std::string_view id) const {
    return find_by(channels, &Channel::id, id);
}
const Label* Policy::find_label(std::string_view name) const {
    return find_by(labels, &Label::name, name);
}

std::span<const std::string> Policy::labels_of_trait(std::string_view name) const {
    return find_labels(traits, name);
}

std::span<const std::string> Policy::purposes_of_trait(std::string_view name) const {
    const auto found = trait_purposes.find(name);
    if (found == trait_purposes.end()) return {};
    return found->second;
}

std::span<const std::string> Policy::labels_of_property(std::string_view name) const {
    const auto listed = find_labels(properties, name);
    return listed.empty() ? labels_of_trait(name) : listed;
}

std::span<const std::string> Policy::purposes_of_property(std::string_view name) const {
    if (!find_labels(properties, name).empty()) return {};
    return purposes_of_trait(name);
}

std::span<const std::string> Policy::labels_of_identifier(std::string_view type) const {
    const auto listed = find_labels(identifier_types, type);
    return listed.empty() ? std::span<const std::string>(identifier_default) : listed;
}

std::span<const std::string> Policy::labels_of_event(std::string_view name) const {
    const EventRule* best = nullptr;
    for (const EventRule& rule : events) {
        if (rule.pattern == name && !rule.pattern.ends_with('*')) return rule.labels;
        if (!rule.pattern.ends_with('*')) continue;
        const auto prefix = std::string_view(rule.pattern).substr(0, rule.pattern.size() - 1);
        if (name.starts_with(prefix) && (!best || rule.pattern.size() > best->pattern.size()))
            best = &rule;
    }
    return best ? best->labels : event_default;
}

bool covers(std::string_view said, std::string_view asked) {
    if (said == kAllPurposes) return true;
    return asked.starts_with(said) && (asked.size() == said.size() || asked[said.size()] == '/');
}

bool holds_for(std::string_view jurisdiction, std::string_view place) {
    return place.starts_with(jurisdiction) &&
           (place.size() == jurisdiction.size() || place[jurisdiction.size()] == '-');
}

bool is_declared(const Policy& policy, std::string_view purpose) {
    return !purpose.empty() && purpose != kAllPurposes &&
           std::ranges::any_of(policy.purposes, [&](const Purpose& declared) {
               return covers(purpose, declared.name);
           });
}

bool may_be_named(const Policy& policy, std::string_view purpose) {
    if (purpose == kAllPurposes || is_declared(policy, purpose)) return true;
    return !purpose.empty() &&
           std::ranges::find(policy.quiet_hours, purpose, &QuietHours::unless_granted) !=
               policy.quiet_hours.end();
}

std::optional<std::string> purpose_of_category(const Policy& policy, std::string_view category) {
    std::string name(category);
    for (char& c : name) {
        if (is_space(c)) c = '_';
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    if (const auto alias = policy.category_aliases.find(name);
        alias != policy.category_aliases.end())
        return alias->second;
    if (name == kAllPurposes || !may_be_named(policy, name)) return std::nullopt;
    return name;
}

}  // namespace consent
