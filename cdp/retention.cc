#include "cdp/retention.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <tuple>

#include "cdp/base/calendar.h"

namespace cdp {
namespace {

using What = RetentionRule::What;
using Names = std::span<const std::string>;

constexpr std::array<std::string_view, 4> kWhat{"trait", "event", "label", "type"};
constexpr std::int32_t kYearsMax = 100;

// What rules are asked of.
struct Datum {
    std::string_view trait = {};
    std::string_view event = {};
    std::optional<EventType> type = {};
    Names labels = {};
    Names purposes = {};  // its own; empty: those of its labels
};

// An exact name beats a prefix, a longer prefix a shorter one. nullopt: it does not match.
std::optional<std::size_t> match(std::string_view pattern, std::string_view name) {
    if (name.empty()) return std::nullopt;
    if (!pattern.ends_with('*'))
        return pattern == name ? std::optional(std::string_view::npos) : std::nullopt;
    pattern.remove_suffix(1);
    return name.starts_with(pattern) ? std::optional(pattern.size()) : std::nullopt;
}

// How narrowly a rule speaks of the datum; nullopt: it does not.
std::optional<std::size_t> narrowness(const RetentionRule& rule, const Datum& datum) {
    const auto when = [](bool speaks) {
        return speaks ? std::optional<std::size_t>(0) : std::nullopt;
    };
    switch (rule.what) {
        case What::trait: return when(!datum.trait.empty() && rule.name == datum.trait);
        case What::event: return match(rule.name, datum.event);
        case What::label:
            return when(std::ranges::find(datum.labels, rule.name) != datum.labels.end());
        case What::type: return when(datum.type && rule.name == to_string(*datum.type));
    }
    return std::nullopt;
}

// Whether all of its labels were collected for the purpose.
bool is_collected_for(const consent::Policy& policy, const Datum& datum, std::string_view purpose) {
    const auto says = [&](Names said) {
        return said.empty() || std::ranges::any_of(said, [&](const auto& one) {
                   return consent::covers(one, purpose);
               });
    };
    return says(datum.purposes) && std::ranges::all_of(datum.labels, [&](const auto& name) {
               const auto* label = policy.find_label(name);
               return !label || says(label->collected_for);
           });
}

// The rule that holds for one purpose: the narrowest, then one of that purpose, then the shortest.
std::optional<Expiry> for_purpose(const RetentionRules& rules, const Datum& datum,
                                  std::string_view purpose, Timestamp time) {
    std::optional<Expiry> best;
    std::tuple<int, std::size_t, bool> rank;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const auto& rule = rules[i];
        const auto narrow = narrowness(rule, datum);
        if (!narrow || (!rule.purpose.empty() && !consent::covers(rule.purpose, purpose))) continue;
        const std::tuple next{-static_cast<int>(rule.what), *narrow, !rule.purpose.empty()};
        const Expiry expiry{after(time, rule.keep), i};
        if (best && (next < rank || (next == rank && best->at <= expiry.at))) continue;
        best = expiry;
        rank = next;
    }
    return best;
}

// Kept as long as any of its purposes needs it.
std::optional<Expiry> expiry_of(const Config& config, const Datum& datum, Timestamp time) {
    if (config.retention.empty()) return std::nullopt;
    std::optional<Expiry> last;
    bool collected = false;
    for (const auto& purpose : config.policy.purposes) {
        if (!is_collected_for(config.policy, datum, purpose.name)) continue;
        collected = true;
        const auto one = for_purpose(config.retention, datum, purpose.name, time);
        if (!one) return std::nullopt;
        if (!last || last->at < one->at) last = one;
    }
    // For nothing that is declared: what speaks of whatever purpose holds.
    return collected ? last : for_purpose(config.retention, datum, {}, time);
}

}  // namespace

std::optional<Expiry> event_expiry(const Config& config, EventType type, std::string_view name,
                                   Timestamp time) {
    if (config.retention.empty()) return std::nullopt;
    // Names and the rules about labels are of track events, as where they are released.
    const auto& policy = config.policy;
    const bool named = type == EventType::track;
    const Names labels = named ? policy.labels_of_event(name) : Names(policy.event_default);
    const auto event = named ? name : std::string_view{};
    return expiry_of(config, {.event = event, .type = type, .labels = labels}, time);
}

std::optional<Expiry> property_expiry(const Config& config, std::string_view name, Timestamp time) {
    if (config.retention.empty()) return std::nullopt;
    return expiry_of(config,
                     {.labels = config.policy.labels_of_property(name),
                      .purposes = config.policy.purposes_of_property(name)},
                     time);
}

std::optional<Expiry> trait_expiry(const Config& config, std::string_view name, Timestamp time) {
    if (config.retention.empty()) return std::nullopt;
    return expiry_of(config,
                     {.trait = name,
                      .labels = config.policy.labels_of_trait(name),
                      .purposes = config.policy.purposes_of_trait(name)},
                     time);
}

bool has_rules_of_parts(const Config& config) {
    return std::ranges::any_of(config.retention, [](const RetentionRule& rule) {
        return rule.what == What::label || rule.what == What::trait;
    });
}

Timestamp after(Timestamp time, const Keep& keep) {
    using namespace std::chrono;
    const auto too_late = [](Timestamp one) {
        return year_month_day{floor<days>(one)}.year() > year{9999};
    };
    if (too_late(time)) return Timestamp::max();
    const auto moved = months_later(time, months{keep.months});
    return too_late(moved) ? Timestamp::max() : moved + days{keep.days};
}

// Months differ by at most three days.
Timestamp latest_past(Timestamp now, const Keep& keep) {
    return after(now, {-keep.months, -keep.days}) + std::chrono::days{keep.months > 0 ? 4 : 0};
}

std::optional<Keep> parse_keep(std::string_view text) {
    std::int32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 1 || end == text.data() + text.size() || *end != ' ')
        return std::nullopt;
    const std::string_view unit{end + 1, text.data() + text.size()};
    if ((unit == "day" || unit == "days") && number <= kYearsMax * 366) return Keep{0, number};
    if ((unit == "month" || unit == "months") && number <= kYearsMax * 12) return Keep{number, 0};
    if ((unit == "year" || unit == "years") && number <= kYearsMax) return Keep{number * 12, 0};
    return std::nullopt;
}

std::string to_string(const Keep& keep) {
    const auto number = keep.months > 0 ? keep.months : keep.days;
    return std::to_string(number) + (keep.months > 0 ? " month" : " day") +
           (number == 1 ? "" : "s");
}

std::string_view to_string(RetentionRule::What value) {
    return kWhat[static_cast<std::size_t>(value)];
}

}  // namespace cdp
