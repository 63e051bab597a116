#include "consent/decision.h"

#include <algorithm>
#include <utility>

#include "consent/clocks.h"

namespace consent {
namespace {

constexpr Regime kRegimes[] = {Regime::identifier_opt_in, Regime::person_opt_in,
                               Regime::person_opt_out, Regime::contract, Regime::legal_obligation};

constexpr std::uint8_t bit(Regime regime) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(regime));
}

constexpr std::uint8_t kOfConsent =
    bit(Regime::identifier_opt_in) | bit(Regime::person_opt_in) | bit(Regime::person_opt_out);

bool refuses(Reason reason) {
    return reason == Reason::denied || reason == Reason::withdrawn || reason == Reason::objected ||
           reason == Reason::restricted;
}

bool is_allowed(const Word& word) {
    return word.reason >= Reason::granted;
}

std::optional<Reason> refusal(const Policy& policy, const Question& question) {
    const Purpose* purpose = policy.find_purpose(question.purpose);
    const Channel* channel = policy.find_channel(question.channel);
    if (!purpose) return Reason::purpose_unknown;
    if (!channel) return Reason::channel_unknown;
    const auto registers = [&](const std::string& name) { return covers(name, question.purpose); };
    if (std::ranges::none_of(channel->purposes, registers)) return Reason::purpose_not_registered;
    if (question.message_class && *question.message_class != purpose->sends())
        return Reason::message_class_differs;
    return std::nullopt;
}

// Where answers to the question were given. Of people whom others use a device with, nobody's.
std::vector<std::string> places_said(std::span<const Member> members, const Question& question) {
    std::vector<std::string> places;
    for (const Member& member : members) {
        if (member.shared) continue;
        for (const Fact& fact : member.facts)
            if (!fact.jurisdiction.empty() && speaks_of(fact, question.purpose, question.channel) &&
                std::ranges::find(places, fact.jurisdiction) == places.end())
                places.push_back(fact.jurisdiction);
    }
    return places;
}

}  // namespace

Judge::Judge(const Policy& policy, std::span<const Member> members, const Question& question)
    : refused_(refusal(policy, question)), suppressed_(members, question.now) {
    if (!refused_) place(policy, members, question);
}

void Judge::place(const Policy& policy, std::span<const Member> members, const Question& question) {
    const Purpose& purpose = *policy.find_purpose(question.purpose);
    const auto said = places_said(members, question);
    set_regimes(purpose, question, said);
    topic_ = {.purpose = question.purpose,
              .channel = question.channel,
              .now = question.now,
              .target_types = purpose.target_types,
              .self_consent_age = policy.self_consent_age,
              .restrictions_only = !asks_consent()};
    if (suppressed_.changes_at()) note(*suppressed_.changes_at());
    if (regimes_ == bit(Regime::legal_obligation)) return;

    auto places = question.jurisdictions;
    places.insert(places.end(), said.begin(), said.end());
    set_clocks(policy, purpose, *policy.find_channel(question.channel), places);
    folds_ = fold(members, {});
    if (folds_->main.changes_at) note(*folds_->main.changes_at);
    for (const auto& night : folds_->nights)
        if (night && night->changes_at) note(*night->changes_at);
    keep_labelled(members);
}

void Judge::set_regimes(const Purpose& purpose, const Question& question,
                        std::span<const std::string> said) {
    const auto at = [&](const std::string& place) {
        regimes_ |= bit(regime_in(purpose, question.channel, place));
    };
    if (question.jurisdictions.empty()) at("");
    for (const auto& place : question.jurisdictions) at(place);
    // Where somebody answered is no reason to ask less of them.
    for (const auto& place : said) at(place);
}

void Judge::set_clocks(const Policy& policy, const Purpose& purpose, const Channel& channel,
                       std::span<const std::string> places) {
    const auto here = [&](const std::string& jurisdiction) {
        return std::ranges::any_of(
            places, [&](const std::string& place) { return holds_for(jurisdiction, place); });
    };
    for (const auto& rule : policy.reconfirmations)
        if (here(rule.jurisdiction)) topic_.reconfirmations.push_back(rule);
    if (purpose.sends() != MessageClass::marketing) return;

    label_advertisement_ =
        is_message(channel.medium) && std::ranges::any_of(policy.advertisement_label, here);
    for (const auto& rule : policy.quiet_hours) {
        if (std::ranges::find(rule.mediums, channel.medium) == rule.mediums.end()) continue;
        if (!here(rule.jurisdiction)) continue;
        note(next_turn(rule, topic_.now));
        const auto until = quiet_until(rule, topic_.now);
        if (!until) continue;
        Night night{.until = *until, .topic = {}};
        if (!rule.unless_granted.empty()) {
            night.topic = topic_;
            night.topic->purpose = rule.unless_granted;
        }
        nights_.push_back(std::move(night));
    }
}

// Facts that name labels say different things about different data, so those are kept to be folded
// for each.
void Judge::keep_labelled(std::span<const Member> members) {
    const auto is_labelled = [](const Fact& fact) { return !fact.labels.empty(); };
    const auto spoken = [&](const Fact& fact) {
        const auto about = [&](const Topic& topic) {
            return speaks_of(fact, topic.purpose, topic.channel);
        };
        return about(topic_) || std::ranges::any_of(nights_, [&](const Night& night) {
                   return night.topic && about(*night.topic);
               });
    };
    const bool any = std::ranges::any_of(members, [&](const Member& member) {
        return std::ranges::any_of(
            member.facts, [&](const Fact& fact) { return is_labelled(fact) && spoken(fact); });
    });
    if (!any) return;
    labelled_.assign(members.begin(), members.end());
    for (Member& member : labelled_)
        std::erase_if(member.facts, [&](const Fact& fact) { return !spoken(fact); });
}

bool Judge::has(Regime regime) const {
    return (regimes_ & bit(regime)) != 0;
}

bool Judge::asks_consent() const {
    return (regimes_ & kOfConsent) != 0;
}

void Judge::note(cdp::Timestamp time) {
    if (time > topic_.now && (!changes_at_ || time < *changes_at_)) changes_at_ = time;
}

Judge::Folds Judge::fold(std::span<const Member> members,
                         std::span<const std::string> labels) const {
    Folds folds{.main = Fold(members, topic_, labels), .nights = {}};
    for (const Night& night : nights_) {
        auto& opened = folds.nights.emplace_back();
        if (night.topic) opened.emplace(members, *night.topic, labels);
    }
    return folds;
}

Decision Judge::decide(const Datum& datum) const {
    if (refused_) return {.reason = *refused_};
    if (const auto* by = suppressed_.find(datum.home, datum.value))
        return {Reason::suppressed, by->said.id, changes_at_, {}, {}};
    if (!folds_) return {.reason = Reason::legal_obligation};
    if (labelled_.empty() || datum.labels.empty()) return decide(*folds_, datum);
    return decide(fold(labelled_, datum.labels), datum);
}

Decision Judge::decide(const Folds& folds, const Datum& datum) const {
    const Standing* home = folds.main.find(datum.home);
    const Standing* value = datum.value ? folds.main.find(*datum.value) : nullptr;
    if (asks_consent() && (!home || (datum.value && !value)))
        return {.reason = Reason::identifier_unknown};

    const Word word = ruling(folds.main, home, value, datum.from_server);
    const auto said = [&](const Word& what) {
        return Decision{what.reason, what.evidence, changes_at_, {}, {}};
    };
    Decision now = said(word);
    if (!now.allowed()) return now;
    if (home)
        if (const auto then = refusal_then(folds.main, datum, *home, value)) return said(*then);
    if (const auto until = put_off(folds, datum)) {
        now.reason = Reason::quiet_hours;
        now.defer_until = until;
        return now;
    }
    now.obligations = word.obligations;
    if (label_advertisement_) now.obligations.add(Obligation::label_advertisement);
    return now;
}

Word Judge::ruling(const Fold& fold, const Standing* home, const Standing* value,
                   bool from_server) const {
    if (fold.person_denial) return *fold.person_denial;
    if (home && refuses(home->word.reason)) return home->word;
    if (value && refuses(value->word.reason)) return value->word;
    if (fold.quarantine) return *fold.quarantine;
    if (!asks_consent())
        return {.reason = has(Regime::contract) ? Reason::contract : Reason::legal_obligation};
    // The strictest of several: all must allow.
    std::optional<Word> allowed;
    for (const Regime regime : kRegimes) {
        if (!has(regime)) continue;
        const Word word = opted(regime, fold, *home, value, from_server);
        if (!is_allowed(word)) return word;
        if (!allowed) allowed = word;
    }
    return *allowed;
}

namespace {

Word opt_in(const Standing& home, const Standing* value) {
    if (home.word.reason == Reason::granted) return home.word;
    if (value && value->word.reason == Reason::granted) return value->word;
    // Of two ways to say no, the one that says more.
    return value && home.word.reason == Reason::never_asked ? value->word : home.word;
}

Word address_opt_in(const Fold& fold, const Standing& home, const Standing* value,
                    bool from_server) {
    if (value) {
        if (value->word.reason != Reason::granted && from_server && home.vouched)
            return *home.vouched;
        return value->word;
    }
    if (home.word.reason != Reason::granted && fold.target_grant) return *fold.target_grant;
    return home.word;
}

}  // namespace

Word Judge::opted(Regime regime, const Fold& fold, const Standing& home, const Standing* value,
                  bool from_server) const {
    switch (regime) {
        case Regime::identifier_opt_in: return address_opt_in(fold, home, value, from_server);
        case Regime::person_opt_in: return opt_in(home, value);
        case Regime::person_opt_out: return {.reason = Reason::not_objected};
        case Regime::contract: return {.reason = Reason::contract};
        case Regime::legal_obligation: return {.reason = Reason::legal_obligation};
    }
    return {};
}

// What was so when the datum was captured. An identifier named in a grant is collected anew by it,
// so its own grant since then clears the past.
std::optional<Word> Judge::refusal_then(const Fold& fold, const Datum& datum, const Standing& home,
                                        const Standing* value) const {
    for (const Standing* one : {&home, value})
        if (one && one->invalidated && datum.captured <= *one->invalidated)
            return Word{Reason::invalidated, one->invalidated_by};
    if (!asks_consent()) return std::nullopt;
    if (value && value->last_grant && *value->last_grant >= datum.captured) return std::nullopt;
    const auto captured = std::min(datum.captured, topic_.now);
    const Word* then = denied_at(home.denied, captured);
    if (!then && value) then = denied_at(value->denied, captured);
    if (!then) then = denied_at(fold.person_denied, captured);
    if (!then) return std::nullopt;
    return Word{Reason::captured_under_denial, then->evidence};
}

// Until when it must wait, unless the address or whoever has it consented to be woken.
std::optional<cdp::Timestamp> Judge::put_off(const Folds& folds, const Datum& datum) const {
    std::optional<cdp::Timestamp> until;
    for (std::size_t i = 0; i < nights_.size(); ++i) {
        const auto open = [&] {
            const auto& fold = folds.nights[i];
            if (!fold || fold->person_denial || fold->quarantine) return false;
            const Standing* home = fold->find(datum.home);
            const Standing* value = datum.value ? fold->find(*datum.value) : nullptr;
            if (!home || refuses(home->word.reason)) return false;
            if (datum.value) return value && value->word.reason == Reason::granted;
            return home->word.reason == Reason::granted ||
                   (has(Regime::identifier_opt_in) && fold->target_grant);
        };
        if (!open() && (!until || *until < nights_[i].until)) until = nights_[i].until;
    }
    return until;
}

Decision Judge::standing(const cdp::Token& token) const {
    if (refused_) return {.reason = *refused_};
    if (const auto* by = suppressed_.find(token, token))
        return {Reason::suppressed, by->said.id, changes_at_, {}, {}};
    if (!folds_) return {.reason = Reason::legal_obligation};
    const Standing* one = folds_->main.find(token);
    if (!asks_consent() && (!one || !refuses(one->word.reason)))
        return {.reason = has(Regime::contract) ? Reason::contract : Reason::legal_obligation};
    if (!one) return {.reason = Reason::identifier_unknown};
    return {one->word.reason, one->word.evidence, changes_at_, {}, one->word.obligations};
}

std::optional<cdp::Timestamp> Judge::no_reask_until() const {
    return folds_ ? folds_->main.no_reask_until : std::nullopt;
}

std::vector<Cause> Judge::explain(const Datum& datum) const {
    const Decision decision = decide(datum);
    std::vector<Cause> causes = {{decision.reason, decision.evidence, {}}};
    if (refused_) return causes;
    if (const auto* by = suppressed_.find(datum.home, datum.value))
        causes[0].identifier = by->token;
    if (!folds_) return causes;
    const bool labelled = !labelled_.empty() && !datum.labels.empty();
    const Folds folds = labelled ? fold(labelled_, datum.labels) : *folds_;
    const auto add = [&](const Word& word, std::optional<cdp::Token> identifier) {
        const Cause cause{word.reason, word.evidence, identifier};
        if (cause.reason == causes[0].reason && cause.evidence == causes[0].evidence) {
            if (!causes[0].identifier) causes[0].identifier = identifier;
        } else if (std::ranges::find(causes, cause) == causes.end()) {
            causes.push_back(cause);
        }
    };
    for (const auto& denied : folds.main.person_denied)
        if (denied.until == cdp::Timestamp::max()) add(denied.word, std::nullopt);
    const Standing* home = folds.main.find(datum.home);
    const Standing* value = datum.value ? folds.main.find(*datum.value) : nullptr;
    for (const Standing* one : {home, value})
        if (one && (refuses(one->word.reason) || one->word.evidence == decision.evidence))
            add(one->word, one->token);
    if (home)
        if (const auto then = refusal_then(folds.main, datum, *home, value))
            add(*then, std::nullopt);
    return causes;
}

}  // namespace consent
