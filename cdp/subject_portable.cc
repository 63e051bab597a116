#include <algorithm>
#include <set>

#include "cdp/event_remnant.h"
#include "cdp/received_event.h"
#include "cdp/sightings.h"
#include "cdp/subject_walk.h"
#include "consent/provenance.h"

// What the person gave and may take elsewhere: GDPR Art. 20.
namespace cdp {

using consent::JsonWriter;

namespace {

// What each purpose rests on that was given for it; nothing, where it is neither consent nor a
// contract.
using Bases = std::set<std::string_view>;

void add_basis(consent::Regime regime, Bases& bases) {
    switch (regime) {
        case consent::Regime::identifier_opt_in:
        case consent::Regime::person_opt_in: bases.insert("consent"); return;
        case consent::Regime::contract: bases.insert("contract"); return;
        case consent::Regime::person_opt_out:
        case consent::Regime::legal_obligation: return;
    }
}

// Of data with these labels that were collected for these purposes, empty: for all.
Bases bases_of(const consent::Policy& policy, std::span<const std::string> labels,
               std::span<const std::string> purposes) {
    Bases bases;
    for (const auto& purpose : policy.purposes) {
        const auto serves = [&](const std::string& label) {
            return serves_purpose(policy, label, purpose.name);
        };
        if (!consent::collected_for(purposes, purpose.name)) continue;
        if (!std::ranges::all_of(labels, serves)) continue;
        add_basis(purpose.regime, bases);
        for (const auto& row : purpose.regimes) add_basis(row.regime, bases);
    }
    return bases;
}

JsonWriter line(std::string_view kind) {
    JsonWriter out;
    out.open().text("kind", kind);
    return out;
}

// What was written, and what rests on something else.
struct Lines {
    std::int64_t identifiers = 0;
    std::int64_t traits = 0;
    std::int64_t events = 0;
    std::int64_t traits_left_out = 0;
    std::int64_t events_left_out = 0;
    std::int64_t properties_left_out = 0;  // of events that were written
    std::int64_t withheld = 0;             // of others, in what was written
};

std::string last_line(const Lines& lines) {
    auto out = line("end");
    out.number("identifiers", lines.identifiers).number("traits", lines.traits);
    out.number("events", lines.events).open("left_out");
    out.number("traits", lines.traits_left_out).number("events", lines.events_left_out);
    out.number("properties", lines.properties_left_out).close();
    return out.number("withheld_of_others", lines.withheld).close().take();
}

Bases bases_of_trait(const consent::Policy& policy, std::string_view name) {
    return bases_of(policy, policy.labels_of_trait(name), policy.purposes_of_trait(name));
}

// A trait is left out wherever it stands, and so is a property.
StoredEvent given(StoredEvent event, const Config& config, Lines& lines) {
    const auto& policy = config.policy;
    const auto read = read_again(event, config);
    if (!read) return event;
    const ExpiredParts parts{
        [&](std::string_view name) {
            return bases_of(policy, policy.labels_of_property(name),
                            policy.purposes_of_property(name))
                .empty();
        },
        [&](std::string_view name) { return bases_of_trait(policy, name).empty(); }};
    auto left = without(event, *read, parts, config);
    if (!left) return event;
    lines.properties_left_out += static_cast<std::int64_t>(left->properties.size());
    return std::move(left->event);
}

}  // namespace

bool serves_purpose(const consent::Policy& policy, const std::string& label,
                    std::string_view purpose) {
    const auto* found = policy.find_label(label);
    return !found || consent::collected_for(found->collected_for, purpose);
}

Result<void> SubjectWalk::tell_given(const ReportSink& sink) {
    const auto& policy = needs_.config.policy;
    Lines lines;
    bool wanted = true;
    const auto put = [&](JsonWriter& out) { wanted = wanted && sink(out.close().take() + "\n"); };
    auto about = line("about");
    about.number("format", 1).text("made", format_time(now_));
    put(about.text_if("controller", needs_.config.controller.name));
    for (const auto& member : person_.members) {
        auto out = line("identifier");
        put(out.text("type", member.node.type).text("value", member.value.value));
        ++lines.identifiers;
    }
    const auto trait_line = [&](const PersonMember&, const StoredTrait& trait) -> Result<void> {
        const auto bases = bases_of_trait(policy, trait.name);
        if (bases.empty()) {
            ++lines.traits_left_out;
            return Result<void>::ok();
        }
        auto out = line("trait");
        out.text("name", trait.name).json("value", CDP_TRY(shown(trait.json, trait.source)));
        put(out.text("time", format_time(trait.time)).texts("bases", bases));
        ++lines.traits;
        return Result<void>::ok();
    };
    CDP_CHECK(each_held_trait(trait_line));
    const auto event_line = [&](const PersonEvent& one) -> Result<bool> {
        const auto bases = bases_of(policy, labels_of(policy, one.event), {});
        if (bases.empty()) {
            ++lines.events_left_out;
            return wanted;
        }
        auto out = line("event");
        out.text("time", format_time(one.place.time)).texts("bases", bases);
        const auto event = given(one.event, needs_.config, lines);
        put(out.json("event", CDP_TRY(shown("{" + received_members(event) + "}", event.source))));
        ++lines.events;
        return wanted;
    };
    CDP_CHECK(each_event(event_line));
    lines.withheld = static_cast<std::int64_t>(others_.withheld());
    if (wanted) sink(last_line(lines) + "\n");
    const auto count = [](std::int64_t n) { return static_cast<std::uint64_t>(n); };
    counts_.identifiers = count(lines.identifiers);
    counts_.traits = count(lines.traits);
    counts_.events = count(lines.events);
    return Result<void>::ok();
}

}  // namespace cdp
