#include "consent/fold.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "cdp/base/assert.h"

namespace consent {
namespace {

using Facts = std::span<const Fact* const>;
using FactList = std::vector<const Fact*>;

bool is_grant(const Fact& fact) {
    return fact.state == State::granted;
}

// At the same moment what refuses comes last.
int rank(State state) {
    return is_denial(state) ? 2 : state == State::expired ? 1 : 0;
}

// The order of the fold: the last one holds.
bool comes_before(const Fact* a, const Fact* b) {
    return std::tuple(a->time, rank(a->state), a->id) < std::tuple(b->time, rank(b->state), b->id);
}

Reason reason_of(State state) {
    switch (state) {
        case State::granted: return Reason::granted;
        case State::denied: return Reason::denied;
        case State::withdrawn: return Reason::withdrawn;
        case State::objected: return Reason::objected;
        case State::restricted: return Reason::restricted;
        case State::expired: return Reason::expired;
        case State::pending_doi: return Reason::pending_doi;
        case State::invalidated: return Reason::invalidated;
        case State::reconfirmed:
        case State::not_applicable:
        case State::noticed: return Reason::never_asked;
    }
    return Reason::denied;
}

bool names_any(const Fact& fact, std::span<const std::string> labels) {
    return std::ranges::find_first_of(fact.labels, labels) != fact.labels.end();
}

bool names_all(const Fact& fact, std::span<const std::string> labels) {
    return !labels.empty() && std::ranges::all_of(labels, [&](const std::string& label) {
        return std::ranges::find(fact.labels, label) != fact.labels.end();
    });
}

// What refuses or ends touches data of any of its labels, what opens only data of its labels alone.
bool meant(const Fact& fact, std::span<const std::string> labels) {
    if (fact.labels.empty()) return true;
    return rank(fact.state) > 0 ? names_any(fact, labels) : names_all(fact, labels);
}

bool about_restrictions(const Fact& fact) {
    return fact.state == State::restricted || fact.state == State::granted ||
           fact.state == State::invalidated || fact.state == State::not_applicable ||
           fact.state == State::pending_doi;
}

// What was imported without evidence cannot take a denial back.
void drop_unproven(FactList& facts) {
    bool refused = false;
    std::erase_if(facts, [&](const Fact* fact) {
        if (refused && is_grant(*fact) && fact->unproven) return true;
        if (is_grant(*fact) || is_denial(fact->state)) refused = is_denial(fact->state);
        return false;
    });
}

// When the grant must be confirmed or recalled; nullopt: never.
std::optional<cdp::Timestamp> due(const Fact& last, std::optional<std::chrono::days> every) {
    if (last.reconfirm_due) return last.reconfirm_due;
    if (every) return last.time + *every;
    return std::nullopt;
}

}  // namespace

bool speaks_of(const Fact& fact, std::string_view purpose, std::string_view channel) {
    if (!covers(fact.purpose, purpose)) return false;
    // Consent is to something.
    if (fact.purpose == kAllPurposes && is_grant(fact)) return false;
    return fact.channels.empty() ||
           std::ranges::find(fact.channels, channel) != fact.channels.end();
}

const Word* denied_at(std::span<const Denied> denials, cdp::Timestamp time) {
    for (const Denied& denied : denials)
        if (denied.from <= time && time < denied.until) return &denied.word;
    return nullptr;
}

// What of a member counts for the topic, in the fold's order.
struct Fold::Heard {
    const Member* member = nullptr;
    FactList facts = {};
    Word unheard = {};  // a grant that opens nothing, and why
    const Fact* invalidated = nullptr;
};

// A denial that is taken back by name.
struct Fold::Lift {
    cdp::RecordId denial;
    cdp::Timestamp time;
    cdp::Timestamp received;
    const Member* by;
};

namespace {

// Whether the grant counts: a minor's with its guardian's, a confirmation in time. Else why not.
std::optional<Reason> opens_nothing(const Fact& grant, Facts pending, const Topic& topic) {
    if (grant.unguarded && youngest(*grant.unguarded) < topic.self_consent_age)
        return Reason::guardian_missing;
    if (!grant.request) return std::nullopt;
    const bool confirms = std::ranges::any_of(pending, [&](const Fact* asked) {
        return asked->id == *grant.request && asked->time <= grant.time && asked->confirm_by &&
               grant.time <= *asked->confirm_by;
    });
    return confirms ? std::nullopt : std::optional(Reason::pending_doi);
}

// Takes out the grants that do not count. What there is to say when nothing else was said: the
// newest of those, or that a confirmation is waited for.
Word drop_unheard(FactList& facts, Facts pending, const Topic& topic) {
    const Fact* last = nullptr;
    Word word;
    for (const Fact* asked : pending) {
        const bool waits = asked->confirm_by && topic.now < *asked->confirm_by;
        if (!waits || (last && comes_before(asked, last))) continue;
        last = asked;
        word = {Reason::pending_doi, asked->id};
    }
    last = nullptr;
    std::erase_if(facts, [&](const Fact* fact) {
        if (!is_grant(*fact)) return false;
        const auto why = opens_nothing(*fact, pending, topic);
        if (why && (!last || comes_before(last, fact))) {
            last = fact;
            word = {*why, fact->id};
        }
        return why.has_value();
    });
    return word;
}

}  // namespace

Fold::Heard Fold::hear(const Member& member, const Topic& topic,
                       std::span<const std::string> labels) {
    Heard heard{.member = &member};
    FactList pending;
    const auto& split = member.quarantined_until_released;
    for (const Fact& fact : member.facts) {
        if (!speaks_of(fact, topic.purpose, topic.channel)) continue;
        if (!counts(fact.state, fact.origin, member.contact)) continue;
        if (topic.restrictions_only && !about_restrictions(fact)) continue;
        if (split && fact.received >= *split) continue;
        if (split && fact.scope != Scope::person && fact.state != State::invalidated) continue;
        note_changes(fact, topic);
        // A denial dated ahead was said before the clock was set back; waiting would un-withdraw
        // it.
        if (!is_denial(fact.state) && fact.time > topic.now) continue;
        if (fact.state != State::invalidated && !meant(fact, labels)) continue;
        if (fact.state == State::pending_doi)
            pending.push_back(&fact);
        else if (fact.state != State::invalidated)
            heard.facts.push_back(&fact);
        else if (!heard.invalidated || comes_before(heard.invalidated, &fact))
            heard.invalidated = &fact;
    }
    if (const Fact* end = heard.invalidated) {
        const auto over = [&](const Fact* fact) {
            return fact->time < end->time || (fact->time == end->time && !is_denial(fact->state));
        };
        std::erase_if(heard.facts, over);
        std::erase_if(pending, over);
    }
    heard.unheard = drop_unheard(heard.facts, pending, topic);
    std::ranges::sort(heard.facts, comes_before);
    return heard;
}

void Fold::note_changes(const Fact& fact, const Topic& topic) {
    const auto note = [&](std::optional<cdp::Timestamp> time) {
        if (time && *time > topic.now && (!changes_at || *time < *changes_at)) changes_at = time;
    };
    note(fact.time);
    if (fact.time > topic.now || topic.restrictions_only) return;
    if (is_grant(fact)) note(fact.valid_until);
    note(fact.confirm_by);
    if (is_denial(fact.state)) return;
    note(fact.reconfirm_due);
    for (const auto& rule : topic.reconfirmations) note(fact.time + rule.every);
}

void Fold::note_lifts(const Heard& heard, std::vector<Lift>& lifts) const {
    if (heard.member->quarantined_until_released) return;
    for (const Fact* fact : heard.facts) {
        const bool takes_back = is_grant(*fact) ? !fact->unproven
                                                : fact->state == State::not_applicable &&
                                                      fact->origin == Origin::officer;
        if (!takes_back) continue;
        for (const auto& denial : fact->overrides)
            lifts.push_back({denial, fact->time, fact->received, heard.member});
    }
}

namespace {

// Lists without the denials that were taken back, and when each of these was.
struct Lifted {
    const Fact* denial;
    cdp::Timestamp at;
};

template <typename Lifts>
std::vector<Lifted> lifted_of(const Member& member, Facts facts, const Lifts& lifts) {
    std::vector<Lifted> lifted;
    if (lifts.empty()) return lifted;
    const auto& split = member.quarantined_until_released;
    for (const Fact* fact : facts) {
        if (!is_denial(fact->state)) continue;
        std::optional<cdp::Timestamp> at;
        for (const auto& lift : lifts) {
            if (lift.denial != fact->id || lift.time <= fact->time) continue;
            if (lift.by->shared && lift.by != &member) continue;
            if (split && lift.received >= *split) continue;
            if (!at || lift.time < *at) at = lift.time;
        }
        if (at) lifted.push_back({fact, *at});
    }
    return lifted;
}

FactList without(Facts facts, std::span<const Lifted> lifted) {
    FactList left(facts.begin(), facts.end());
    std::erase_if(left, [&](const Fact* fact) {
        return std::ranges::find(lifted, fact, &Lifted::denial) != lifted.end();
    });
    return left;
}

// From each denial to the next moment at which something was granted or refused.
std::vector<Denied> intervals(Facts facts) {
    FactList words;
    for (const Fact* fact : facts)
        if (is_grant(*fact) || is_denial(fact->state)) words.push_back(fact);
    std::vector<Denied> denials;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const Fact& fact = *words[i];
        const Fact* next = i + 1 < words.size() ? words[i + 1] : nullptr;
        if (next && next->time == fact.time) continue;  // the later of a moment holds
        if (!is_denial(fact.state)) continue;
        denials.push_back({.from = fact.time,
                           .until = next ? next->time : cdp::Timestamp::max(),
                           .word = {reason_of(fact.state), fact.id}});
    }
    return denials;
}

// The same, where some denials were taken back: from then on it is as if they had not been said.
std::vector<Denied> intervals(Facts facts, std::span<const Lifted> lifted) {
    if (lifted.empty()) return intervals(facts);
    auto denials = intervals(without(facts, lifted));
    for (const Denied& denied : intervals(facts)) {
        const auto back = std::ranges::find_if(
            lifted, [&](const Lifted& one) { return one.denial->id == denied.word.evidence; });
        if (back == lifted.end()) continue;
        auto& until = denials.emplace_back(denied).until;
        until = std::min(until, back->at);
    }
    return denials;
}

// The newest word, with the clocks of a grant. `unheard` when nothing was said.
Word newest(Facts facts, const Topic& topic, const Word& unheard) {
    const Fact* said = nullptr;
    for (const Fact* fact : facts) {
        const bool ends = fact->state == State::expired && said && is_grant(*said);
        if (is_grant(*fact) || is_denial(fact->state) || ends) said = fact;
    }
    if (!said) return unheard;
    Word word{reason_of(said->state), said->id};
    if (!is_grant(*said)) return word;
    if (said->valid_until && *said->valid_until <= topic.now) return {Reason::expired, said->id};
    if (said->unproven) word.obligations.add(Obligation::no_proof);

    const auto overdue = [&](std::optional<std::chrono::days> every, bool silence) {
        const Fact* last = said;
        for (const Fact* fact : facts) {
            const bool renews =
                fact->state == State::reconfirmed || (silence && fact->state == State::noticed);
            if (renews && !comes_before(fact, said) && fact->time >= last->time) last = fact;
        }
        const auto at = due(*last, every);
        return at && *at <= topic.now;
    };
    if (overdue(std::nullopt, true)) word.obligations.add(Obligation::reconfirm_due);
    for (const auto& rule : topic.reconfirmations) {
        if (!overdue(rule.every, !rule.or_deny)) continue;
        if (rule.or_deny) return {Reason::reconfirm_overdue, said->id};
        word.obligations.add(Obligation::reconfirm_due);
    }
    return word;
}

// Denials, the grants that vouch, and what concerns those.
std::optional<Word> vouched(const Member& member, Facts facts, const Topic& topic) {
    if (!member.account) return std::nullopt;
    FactList vouching;
    for (const Fact* fact : facts) {
        const bool vouches = fact->scope == Scope::person &&
                             (fact->origin == Origin::server || fact->origin == Origin::officer);
        if (!is_grant(*fact) || vouches) vouching.push_back(fact);
    }
    const Word word = newest(vouching, topic, {});
    return word.reason == Reason::granted ? std::optional(word) : std::nullopt;
}

}  // namespace

Fold::Fold(std::span<const Member> members, const Topic& topic,
           std::span<const std::string> labels) {
    std::vector<Heard> all;
    std::vector<Lift> lifts;
    all.reserve(members.size());
    standings.reserve(members.size());
    for (const Member& member : members) {
        all.push_back(hear(member, topic, labels));
        note_lifts(all.back(), lifts);
    }
    for (Heard& heard : all) {
        if (!heard.member->quarantined_until_released) settle(heard, topic, lifts);
        spread(heard, lifts);
    }
    std::ranges::sort(standings, {}, &Standing::token);
    CDP_ASSERT(std::ranges::adjacent_find(standings, {}, &Standing::token) == standings.end());

    const Denied* newest_denial = nullptr;
    for (const Denied& denied : person_denied) {
        if (denied.until != cdp::Timestamp::max()) continue;
        if (denied.word.reason == Reason::quarantined) {
            if (!quarantine || quarantine->evidence < denied.word.evidence)
                quarantine = denied.word;
        } else if (!newest_denial || std::tuple(newest_denial->from, newest_denial->word.evidence) <
                                         std::tuple(denied.from, denied.word.evidence)) {
            newest_denial = &denied;
        }
    }
    if (newest_denial) person_denial = newest_denial->word;
}

// What the member's own answers say of it.
void Fold::settle(const Heard& heard, const Topic& topic, std::span<const Lift> lifts) {
    const Member& member = *heard.member;
    FactList facts = heard.facts;
    drop_unproven(facts);
    const auto lifted = lifted_of(member, facts, lifts);
    const auto left = without(facts, lifted);

    Standing standing{.token = member.token};
    standing.word = newest(left, topic, heard.unheard);
    standing.vouched = vouched(member, left, topic);
    standing.denied = intervals(facts, lifted);
    for (const Fact* fact : facts) {
        if (is_grant(*fact)) standing.last_grant = fact->time;
        if (is_denial(fact->state) && fact->no_reask_until)
            no_reask_until =
                std::max(no_reask_until.value_or(cdp::Timestamp::min()), *fact->no_reask_until);
    }
    if (heard.invalidated) {
        standing.invalidated = heard.invalidated->time;
        standing.invalidated_by = heard.invalidated->id;
    }
    const bool target =
        std::ranges::find(topic.target_types, member.type) != topic.target_types.end();
    if (!member.shared && target && standing.word.reason == Reason::granted)
        if (!target_grant || standing.word.evidence < target_grant->evidence)
            target_grant = standing.word;
    standings.push_back(std::move(standing));
}

// Denials of scope person are everybody's.
void Fold::spread(const Heard& heard, std::span<const Lift> lifts) {
    if (heard.member->shared) return;
    FactList facts = heard.facts;
    std::erase_if(facts, [](const Fact* fact) { return fact->scope != Scope::person; });
    drop_unproven(facts);
    for (Denied denied : intervals(facts, lifted_of(*heard.member, facts, lifts))) {
        if (heard.member->quarantined_until_released) denied.word.reason = Reason::quarantined;
        person_denied.push_back(denied);
    }
}

const Standing* Fold::find(const cdp::Token& token) const {
    const auto found = std::ranges::lower_bound(standings, token, {}, &Standing::token);
    return found != standings.end() && found->token == token ? &*found : nullptr;
}

}  // namespace consent
