#include "consent/gate.h"

#include <algorithm>
#include <utility>

#include "consent/json_string.h"
#include "consent/provenance.h"

namespace consent {
namespace {

std::shared_ptr<const Listing> listing_of(const Field& field, const Decision& decision,
                                          std::string_view form) {
    return std::make_shared<const Listing>(
        Listing{.home = field.datum.home,
                .field = {.section = field.section,
                          .within = std::string(field.within),
                          .name = std::string(field.name),
                          .labels = {field.labels.begin(), field.labels.end()},
                          .withheld = !decision.allowed(),
                          .form = std::string(form)},
                .evidence = decision.evidence});
}

}  // namespace

Released::Released(const Field& field, std::string json, Transform transform,
                   const Decision& decision)
    : name_(field.name),
      json_(std::move(json)),
      time_(field.time),
      source_(field.source),
      decision_(decision),
      listing_(listing_of(field, decision, to_string(transform))) {}

Withheld::Withheld(const Field& field, const Decision& decision)
    : decision_(decision), listing_(listing_of(field, decision, to_string(decision.reason))) {}

Gate::Gate(const Policy& policy, std::span<const Member> members, const Question& question)
    : judge_(policy, members, question) {
    if (const Purpose* purpose = policy.find_purpose(question.purpose)) purpose_ = purpose->name;
    const Channel* channel = policy.find_channel(question.channel);
    if (!channel) return;
    for (const ChannelLabel& listed : channel->labels) {
        const Label* label = policy.find_label(listed.label);
        if (!label) continue;
        allowed_.push_back({label->name, listed, collected_for(label->collected_for, purpose_)});
    }
}

Passed Gate::pass(const Field& field) const {
    const auto withheld = [&](Reason reason) {
        return Withheld(field, Decision{.reason = reason});
    };
    if (const auto refused = judge_.refused()) return withheld(*refused);

    const auto how = registered(field);
    if (const auto* reason = std::get_if<Reason>(&how)) return withheld(*reason);
    // What was said about the address cannot be found without it.
    if (field.is_contact && !field.datum.value) return withheld(Reason::unparsable);

    auto datum = field.datum;
    datum.labels = field.labels;
    const Decision decision = judge_.decide(datum);
    if (!decision.allowed()) return Withheld(field, decision);

    const auto& listed = std::get<ChannelLabel>(how);
    auto json = transformed({.json = field.json,
                             .normal = field.normal,
                             .hashes = field.hashes,
                             .keyed_token = field.keyed_token},
                            listed);
    if (!json) return withheld(Reason::not_hashable);
    return Released(field, std::move(*json), listed.transform, decision);
}

std::variant<Reason, ChannelLabel> Gate::registered(const Field& field) const {
    if (field.labels.empty()) return Reason::unmapped;
    ChannelLabel how;
    bool collected = collected_for(field.collected_for, purpose_);
    for (const std::string& label : field.labels) {
        const auto allowed = std::ranges::find(allowed_, label, &Allowed::label);
        if (allowed == allowed_.end()) return Reason::label_not_allowed;
        // Of several labels the strictest transform holds.
        if (is_stricter(allowed->how, how)) how = allowed->how;
        collected = collected && allowed->collected;
    }
    if (!collected) return Reason::not_collected_for;
    return how;
}

}  // namespace consent
