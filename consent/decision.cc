#include "consent/decision.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "cdp/base/assert.h"
#include "consent/names.h"

namespace consent {
namespace {

using namespace std::string_view_literals;

constexpr Names kReasons{std::pair{Reason::never_asked, "never_asked"sv},
                         std::pair{Reason::denied, "denied"sv},
                         std::pair{Reason::withdrawn, "withdrawn"sv},
                         std::pair{Reason::objected, "objected"sv},
                         std::pair{Reason::expired, "expired"sv},
                         std::pair{Reason::captured_under_denial, "captured_under_denial"sv},
                         std::pair{Reason::purpose_unknown, "purpose_unknown"sv},
                         std::pair{Reason::channel_unknown, "channel_unknown"sv},
                         std::pair{Reason::purpose_not_registered, "purpose_not_registered"sv},
                         std::pair{Reason::identifier_unknown, "identifier_unknown"sv},
                         std::pair{Reason::unmapped, "unmapped"sv},
                         std::pair{Reason::label_not_allowed, "label_not_allowed"sv},
                         std::pair{Reason::not_collected_for, "not_collected_for"sv},
                         std::pair{Reason::not_hashable, "not_hashable"sv},
                         std::pair{Reason::unparsable, "unparsable"sv},
                         std::pair{Reason::granted, "granted"sv},
                         std::pair{Reason::not_objected, "not_objected"sv},
                         std::pair{Reason::contract, "contract"sv}};

bool covers_question(const Fact& fact, const Question& question) {
    return covers(fact.purpose, question.purpose) &&
           (fact.channels.empty() ||
            std::ranges::find(fact.channels, question.channel) != fact.channels.end());
}

// The order of the fold: the last one holds. At the same moment a denial comes after a grant.
bool comes_before(const Fact* a, const Fact* b) {
    return std::tuple(a->time, is_denial(a->state), a->id) <
           std::tuple(b->time, is_denial(b->state), b->id);
}

Reason reason_of(State state) {
    switch (state) {
        case State::granted: return Reason::granted;
        case State::denied: return Reason::denied;
        case State::withdrawn: return Reason::withdrawn;
        case State::objected: return Reason::objected;
    }
    return Reason::denied;
}

bool is_denial(Reason reason) {
    return reason == Reason::denied || reason == Reason::withdrawn || reason == Reason::objected;
}

std::optional<Reason> refusal(const Policy& policy, const Question& question) {
    const Channel* channel = policy.find_channel(question.channel);
    if (!policy.find_purpose(question.purpose)) return Reason::purpose_unknown;
    if (!channel) return Reason::channel_unknown;
    const auto registers = [&](const std::string& name) { return covers(name, question.purpose); };
    if (std::ranges::none_of(channel->purposes, registers)) return Reason::purpose_not_registered;
    return std::nullopt;
}

}  // namespace

std::string_view to_string(Reason value) {
    return kReasons.name(value);
}
std::optional<Reason> parse_reason(std::string_view name) {
    return kReasons.value(name);
}

Judge::Judge(const Policy& policy, std::span<const Member> members, const Question& question)
    : refused_(refusal(policy, question)), now_(question.now) {
    if (refused_) return;
    const Purpose& purpose = *policy.find_purpose(question.purpose);
    regime_ = purpose.regime;
    if (regime_ == Regime::contract) return;
    target_types_ = purpose.target_types;

    identifiers_.reserve(members.size());
    for (const Member& member : members) add(member, question);
    std::ranges::sort(identifiers_, {}, &Identifier::token);
    CDP_ASSERT(std::ranges::adjacent_find(identifiers_, {}, &Identifier::token) ==
               identifiers_.end());

    for (const Denied& denied : person_denied_) {
        if (denied.until != cdp::Timestamp::max()) continue;
        if (!person_denial_ || std::tuple(person_denial_->from, person_denial_->word.evidence) <
                                   std::tuple(denied.from, denied.word.evidence))
            person_denial_ = denied;
    }
}

void Judge::add(const Member& member, const Question& question) {
    std::vector<const Fact*> facts;
    for (const Fact& fact : member.facts) {
        if (!covers_question(fact, question)) continue;
        if (!counts(fact.state, fact.origin, member.contact)) continue;
        note_changes(fact);
        // A denial dated ahead was said before the clock was set back; waiting would un-withdraw
        // it.
        if (is_denial(fact.state) || fact.time <= now_) facts.push_back(&fact);
    }
    std::ranges::sort(facts, comes_before);

    Identifier identifier{.token = member.token};
    if (!facts.empty()) identifier.word = word_of(*facts.back());
    identifier.vouched = vouched(member, facts);
    identifier.denied = denials(facts);
    for (const Fact* fact : facts)
        if (fact->state == State::granted) identifier.last_grant = fact->time;

    if (!member.shared) {
        std::erase_if(facts, [](const Fact* fact) { return fact->scope != Scope::person; });
        const auto spread = denials(facts);
        person_denied_.insert(person_denied_.end(), spread.begin(), spread.end());

        const bool target = std::ranges::find(target_types_, member.type) != target_types_.end();
        if (target && identifier.word.reason == Reason::granted)
            if (!target_grant_ || identifier.word.evidence < target_grant_->evidence)
                target_grant_ = identifier.word;
    }
    identifiers_.push_back(std::move(identifier));
}

// From each denial to the next moment at which something was said.
std::vector<Judge::Denied> Judge::denials(Facts facts) {
    std::vector<Denied> denials;
    for (std::size_t i = 0; i < facts.size(); ++i) {
        const Fact& fact = *facts[i];
        const Fact* next = i + 1 < facts.size() ? facts[i + 1] : nullptr;
        if (next && next->time == fact.time) continue;  // the later of a moment holds
        if (!is_denial(fact.state)) continue;
        denials.push_back({.from = fact.time,
                           .until = next ? next->time : cdp::Timestamp::max(),
                           .word = {reason_of(fact.state), fact.id}});
    }
    return denials;
}

const Judge::Word* Judge::denied_at(std::span<const Denied> denials, cdp::Timestamp time) {
    for (const Denied& denied : denials)
        if (denied.from <= time && time < denied.until) return &denied.word;
    return nullptr;
}

Judge::Word Judge::word_of(const Fact& fact) const {
    const bool expired =
        fact.state == State::granted && fact.valid_until && *fact.valid_until <= now_;
    return {expired ? Reason::expired : reason_of(fact.state), fact.id};
}

std::optional<Judge::Word> Judge::vouched(const Member& member, Facts facts) const {
    if (!member.account) return std::nullopt;
    const auto speaks = [](const Fact* fact) {
        if (is_denial(fact->state)) return true;
        return fact->scope == Scope::person &&
               (fact->origin == Origin::server || fact->origin == Origin::officer);
    };
    const auto last = std::find_if(facts.rbegin(), facts.rend(), speaks);
    if (last == facts.rend()) return std::nullopt;
    const Word word = word_of(**last);
    return word.reason == Reason::granted ? std::optional(word) : std::nullopt;
}

void Judge::note_changes(const Fact& fact) {
    const auto note = [&](cdp::Timestamp time) {
        if (time > now_ && (!changes_at_ || time < *changes_at_)) changes_at_ = time;
    };
    note(fact.time);
    const bool runs_out = fact.state == State::granted && fact.valid_until;
    if (fact.time <= now_ && runs_out) note(*fact.valid_until);
}

const Judge::Identifier* Judge::find(const cdp::Token& token) const {
    const auto found = std::ranges::lower_bound(identifiers_, token, {}, &Identifier::token);
    return found != identifiers_.end() && found->token == token ? &*found : nullptr;
}

Decision Judge::decide(const Datum& datum) const {
    if (refused_) return {.reason = *refused_};
    if (regime_ == Regime::contract) return {.reason = Reason::contract};

    const Identifier* home = find(datum.home);
    const Identifier* value = datum.value ? find(*datum.value) : nullptr;
    if (!home || (datum.value && !value)) return {.reason = Reason::identifier_unknown};

    const Word word = ruling(*home, value, datum.from_server);
    const Decision now{word.reason, word.evidence, changes_at_};
    if (!now.allowed()) return now;
    if (const Word* then = denied_at_capture(datum, *home, value))
        return {Reason::captured_under_denial, then->evidence, changes_at_};
    return now;
}

Decision Judge::standing(const cdp::Token& token) const {
    if (refused_) return {.reason = *refused_};
    if (regime_ == Regime::contract) return {.reason = Reason::contract};
    const Identifier* identifier = find(token);
    if (!identifier) return {.reason = Reason::identifier_unknown};
    return {identifier->word.reason, identifier->word.evidence, changes_at_};
}

Judge::Word Judge::ruling(const Identifier& home, const Identifier* value, bool from_server) const {
    if (person_denial_) return person_denial_->word;
    if (is_denial(home.word.reason)) return home.word;
    if (value && is_denial(value->word.reason)) return value->word;
    switch (regime_) {
        case Regime::identifier_opt_in: return address_opt_in(home, value, from_server);
        case Regime::person_opt_in: return opt_in(home, value);
        case Regime::person_opt_out: return {.reason = Reason::not_objected};
        case Regime::contract: return {.reason = Reason::contract};
    }
    return {};
}

Judge::Word Judge::opt_in(const Identifier& home, const Identifier* value) const {
    if (home.word.reason == Reason::granted) return home.word;
    if (value && value->word.reason == Reason::granted) return value->word;
    // Of two ways to say no, the one that says more.
    return value && home.word.reason == Reason::never_asked ? value->word : home.word;
}

Judge::Word Judge::address_opt_in(const Identifier& home, const Identifier* value,
                                  bool from_server) const {
    if (value) {
        if (value->word.reason != Reason::granted && from_server && home.vouched)
            return *home.vouched;
        return value->word;
    }
    if (home.word.reason != Reason::granted && target_grant_) return *target_grant_;
    return home.word;
}

// An identifier named in a grant is collected anew by it, so its own grant since then clears the
// past.
const Judge::Word* Judge::denied_at_capture(const Datum& datum, const Identifier& home,
                                            const Identifier* value) const {
    if (value && value->last_grant && *value->last_grant >= datum.captured) return nullptr;
    const auto captured = std::min(datum.captured, now_);
    if (const Word* word = denied_at(home.denied, captured)) return word;
    if (const Word* word = value ? denied_at(value->denied, captured) : nullptr) return word;
    return denied_at(person_denied_, captured);
}

}  // namespace consent
