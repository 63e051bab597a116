#include <algorithm>
#include <set>

#include "cdp/json_scan.h"
#include "cdp/received_event.h"
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
        const auto serves = [&](const std::string& name) {
            const auto* label = policy.find_label(name);
            return !label || consent::collected_for(label->collected_for, purpose.name);
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
};

std::string last_line(const Lines& lines) {
    auto out = line("end");
    out.number("identifiers", lines.identifiers).number("traits", lines.traits);
    out.number("events", lines.events).open("left_out");
    out.number("traits", lines.traits_left_out).number("events", lines.events_left_out);
    return out.close().close().take();
}

}  // namespace

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
    CDP_CHECK(each_trait(reading_, person_, [&](const PersonMember&, const StoredTrait& trait) {
        const auto bases = bases_of(policy, policy.labels_of_trait(trait.name),
                                    policy.purposes_of_trait(trait.name));
        if (bases.empty()) {
            ++lines.traits_left_out;
            return Result<void>::ok();
        }
        auto out = line("trait");
        out.text("name", trait.name).json("value", json::minify(trait.json));
        put(out.text("time", format_time(trait.time)).texts("bases", bases));
        ++lines.traits;
        return Result<void>::ok();
    }));
    CDP_CHECK(each_event([&](const PersonEvent& one) -> Result<bool> {
        const auto bases = bases_of(policy, policy.labels_of_event(one.event.name), {});
        if (bases.empty()) {
            ++lines.events_left_out;
            return wanted;
        }
        auto out = line("event");
        out.text("time", format_time(one.place.time)).texts("bases", bases);
        put(out.json("event", json::minify("{" + received_members(one.event) + "}")));
        ++lines.events;
        return wanted;
    }));
    if (wanted) sink(last_line(lines) + "\n");
    const auto count = [](std::int64_t n) { return static_cast<std::uint64_t>(n); };
    counts_.identifiers = count(lines.identifiers);
    counts_.traits = count(lines.traits);
    counts_.events = count(lines.events);
    return Result<void>::ok();
}

}  // namespace cdp
