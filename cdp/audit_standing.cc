#include "cdp/audit_standing.h"

#include <algorithm>

#include "cdp/audit_scan.h"

namespace cdp {
namespace {

bool is_registered(const consent::Policy& policy, const Use& use) {
    return policy.find_purpose(use.purpose) && policy.find_channel(use.channel);
}

// The uses that the grant was for. Those of what is declared no more: as they were named.
std::vector<Use> uses_for(const consent::Policy& policy, const consent::Record& grant) {
    auto uses = uses_of(policy, grant.purpose);
    if (!grant.channels.empty())
        std::erase_if(uses, [&](const Use& use) {
            return std::ranges::find(grant.channels, use.channel) == grant.channels.end();
        });
    if (!uses.empty()) return uses;
    if (grant.channels.empty()) return {{.purpose = grant.purpose, .channel = {}}};
    for (const auto& channel : grant.channels)
        uses.push_back({.purpose = grant.purpose, .channel = channel});
    return uses;
}

// The clocks that run where any of the person's answers were given, as a Judge has them.
consent::Topic topic_of(const consent::Policy& policy, const std::vector<consent::Member>& members,
                        const Use& use, Timestamp now) {
    consent::Topic topic{.purpose = use.purpose,
                         .channel = use.channel,
                         .now = now,
                         .self_consent_age = policy.self_consent_age};
    const auto here = [&](const std::string& jurisdiction) {
        return std::ranges::any_of(members, [&](const consent::Member& member) {
            return !member.shared &&
                   std::ranges::any_of(member.facts, [&](const consent::Fact& fact) {
                       return !fact.jurisdiction.empty() &&
                              consent::speaks_of(fact, use.purpose, use.channel) &&
                              consent::holds_for(jurisdiction, fact.jurisdiction);
                   });
        });
    };
    for (const auto& rule : policy.reconfirmations)
        if (here(rule.jurisdiction)) topic.reconfirmations.push_back(rule);
    return topic;
}

}  // namespace

std::vector<Use> uses_of(const consent::Policy& policy, std::string_view said) {
    std::vector<Use> uses;
    for (const auto& purpose : policy.purposes) {
        if (!consent::covers(said, purpose.name)) continue;
        for (const auto& channel : policy.channels)
            if (std::ranges::any_of(channel.purposes, [&](const std::string& name) {
                    return consent::covers(name, purpose.name);
                }))
                uses.push_back({.purpose = purpose.name, .channel = channel.id});
    }
    return uses;
}

Result<const StandingPersons::Loaded*> StandingPersons::find(const Token& token) {
    if (last_ && (last_->asked == token ||
                  (last_->id && std::ranges::any_of(last_->members, [&](const auto& member) {
                       return member.token == token && !member.quarantined_until_released;
                   }))))
        return &*last_;
    Loaded loaded{.asked = token};
    loaded.id = CDP_TRY(person_of(sources_, reading_, token));
    if (loaded.id)
        loaded.members = std::move(CDP_TRY(sources_.people.load(reading_, token)).consents);
    else
        loaded.members.push_back(CDP_TRY(sources_.people.said_under(reading_, token, "")));
    for (const auto& member : loaded.members) loaded.facts += member.facts.size();
    last_ = std::move(loaded);
    return &*last_;
}

std::vector<StandingUse> standing_of(const AuditSources& sources,
                                     const StandingPersons::Loaded& person, const Token& token,
                                     const consent::Record& grant) {
    const auto& policy = sources.config.policy;
    const auto now = sources.clock.now();
    std::vector<StandingUse> standing;
    const auto member = std::ranges::find(person.members, token, &consent::Member::token);
    if (member == person.members.end()) return standing;
    for (auto& use : uses_for(policy, grant)) {
        const consent::Fold fold(person.members, topic_of(policy, person.members, use, now),
                                 grant.labels);
        const auto* word = fold.find(token);
        if (!word || word->word.reason != consent::Reason::granted ||
            word->word.evidence != grant.id)
            continue;
        StandingUse one{.use = std::move(use)};
        if (is_registered(policy, one.use)) {
            const consent::Judge judge(
                policy, person.members,
                {.purpose = one.use.purpose, .channel = one.use.channel, .now = now});
            auto datum = datum_of(*member, now);
            datum.labels = grant.labels;
            one.decision = judge.decide(datum);
        } else {
            one.decision.reason = policy.find_purpose(one.use.purpose)
                                      ? consent::Reason::purpose_not_registered
                                      : consent::Reason::purpose_unknown;
        }
        standing.push_back(std::move(one));
    }
    return standing;
}

consent::Datum datum_of(const consent::Member& member, Timestamp now) {
    return {.home = member.token,
            .value = member.contact ? std::optional(member.token) : std::nullopt,
            .captured = now};
}

std::string decision_members(const consent::Decision& decision) {
    std::string out = "\"outcome\":\"" + std::string(consent::to_string(decision.outcome())) +
                      "\",\"reason\":\"" + std::string(consent::to_string(decision.reason)) + "\"";
    if (decision.evidence) out += ",\"record\":" + hex_json(decision.evidence->view());
    return out;
}

}  // namespace cdp
