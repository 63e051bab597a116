#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include "consent/decision.h"

// The rules of docs/decisions/0006, 0016 and 0030 said again, as sentences about all facts instead
// of a fold: slow, and without a line in common with the product. `Slip`s are wrong on purpose, to
// see that the comparison notices.
namespace tests {

enum class Slip {
    none,
    grants_win_ties,
    future_counts,
    future_denials_wait,
    expiry_inclusive,
    kiosk_spreads,
    any_grant_lifts,
    other_identifier_lifts,
    client_grants_addresses,
    descendant_covers,
    grants_spread,
    capture_ignored,
    named_anew_ignored,
    vouched_by_stamp,
    labels_ignored,
    denial_needs_all_labels,
    grant_needs_one_label,
    overrides_ignored,
    override_lifts_everything,
    override_before_denial,
    kiosk_overrides,
    override_of_the_past,
    pending_grants,
    confirmation_unchecked,
    confirmation_late,
    minors_alone,
    unproven_overrides,
    contract_ignores_restriction,
    restriction_replaced,
    expired_lifts,
    expired_ignored,
    invalidated_ignored,
    invalidated_data_pass,
    quarantine_ignored,
    quarantine_for_ever,
    quarantined_small_scope,
    first_regime_only,
    said_places_ignored,
    quiet_ignored,
    quiet_until_inclusive,
    night_spreads,
    reconfirm_ignored,
    notice_is_enough,
    revoked_suppresses,
    revoked_inclusive,
    kiosk_suppresses_all,
    kiosk_suppresses_nothing,
    bounced_suppresses_home,
    bounced_suppresses_nothing,
    suppressed_after_split,
    suppression_ends_with_split,
    law_ignores_suppression,
    last = law_ignores_suppression,
};

class Oracle {
public:
    Oracle(const consent::Policy& policy, std::span<const consent::Member> members,
           const consent::Question& question, Slip slip = Slip::none)
        : policy_(policy), members_(members), question_(question), slip_(slip) {}

    consent::Reason decide(const consent::Datum& datum) const {
        using enum consent::Reason;
        Oracle about = *this;
        about.labels_.assign(datum.labels.begin(), datum.labels.end());
        return about.judge(datum);
    }

    bool denied_when_captured(const consent::Datum& datum) const {
        Oracle about = *this;
        about.labels_.assign(datum.labels.begin(), datum.labels.end());
        return about.denied_when_captured(datum, *member(datum.home),
                                          datum.value ? member(*datum.value) : nullptr);
    }

private:
    using Fact = consent::Fact;
    using Member = consent::Member;
    using Regime = consent::Regime;
    using State = consent::State;
    using Wanted = std::function<bool(const Fact&)>;

    static constexpr auto kAlways = cdp::Timestamp::max();

    consent::Reason judge(const consent::Datum& datum) {
        using enum consent::Reason;
        const auto& purpose = *policy_.find_purpose(question_.purpose);
        const auto regimes = regimes_of(purpose);
        const bool asks = std::ranges::any_of(regimes, [](Regime regime) {
            return regime != Regime::contract && regime != Regime::legal_obligation;
        });
        const bool law = !asks && !regimes.contains(Regime::contract);
        if (is_suppressed(datum) && !(law && slip_ == Slip::law_ignores_suppression))
            return suppressed;
        if (law) return legal_obligation;
        restrictions_only_ = !asks;
        if (restrictions_only_ && slip_ == Slip::contract_ignores_restriction) return contract;

        const auto* home = member(datum.home);
        const auto* value = datum.value ? member(*datum.value) : nullptr;
        if (asks && (!home || (datum.value && !value))) return identifier_unknown;
        if (const auto denial = newest_person_denial(kAlways, false)) return reason_of(*denial);
        for (const auto* who : {home, value})
            if (who)
                if (const auto* denial = denial_on(*who, kAlways)) return reason_of(*denial);
        if (newest_person_denial(kAlways, true) && slip_ != Slip::quarantine_ignored)
            return quarantined;

        auto now = contract;
        if (asks) now = strictest(purpose, regimes, *home, value, datum.from_server);
        if (now < granted) return now;
        if (home && slip_ != Slip::invalidated_data_pass)
            for (const auto* who : {home, value})
                if (who && newest_invalidation(*who) &&
                    datum.captured <= newest_invalidation(*who)->time)
                    return invalidated;
        if (asks && denied_when_captured(datum, *home, value)) return captured_under_denial;
        return is_put_off(purpose, regimes, datum) ? quiet_hours : now;
    }

    bool is_suppressed(const consent::Datum& datum) const {
        for (const Member& who : members_) {
            const bool home = datum.home == who.token;
            const bool value = datum.value == who.token;
            for (const auto& said : who.suppressions) {
                const bool ended =
                    said.until && (slip_ == Slip::revoked_inclusive ? *said.until < question_.now
                                                                    : *said.until <= question_.now);
                if (ended && slip_ != Slip::revoked_suppresses) continue;
                if (said.scope == consent::SuppressionScope::identifier) {
                    if (value && slip_ != Slip::bounced_suppresses_nothing) return true;
                    if (home && slip_ == Slip::bounced_suppresses_home) return true;
                } else if (who.shared) {
                    if (slip_ == Slip::kiosk_suppresses_all) return true;
                    if ((home || value) && slip_ != Slip::kiosk_suppresses_nothing) return true;
                } else if (who.quarantined_until_released) {
                    const bool before = said.from <= *who.quarantined_until_released;
                    if (before && slip_ != Slip::suppression_ends_with_split) return true;
                    if (slip_ == Slip::suppressed_after_split) return true;
                    if (!before && (home || value)) return true;
                } else {
                    return true;
                }
            }
        }
        return false;
    }

    bool denies(const Fact& fact) const {
        const bool restricts = fact.state == State::restricted;
        if (restrictions_only_)
            return restricts ||
                   (slip_ == Slip::restriction_replaced && fact.state == State::withdrawn);
        return restricts || fact.state == State::denied || fact.state == State::withdrawn ||
               fact.state == State::objected;
    }
    static bool grants(const Fact& fact) { return fact.state == State::granted; }

    const Member* member(const cdp::Token& token) const {
        for (const auto& one : members_)
            if (one.token == token && !one.quarantined_until_released) return &one;
        return nullptr;
    }

    static bool under(const std::string& ancestor, const std::string& name) {
        return name == ancestor || name.rfind(ancestor + "/", 0) == 0;
    }

    bool is_about(const Fact& fact) const {
        const bool purpose =
            (fact.purpose == "*" && !grants(fact)) || under(fact.purpose, question_.purpose) ||
            (slip_ == Slip::descendant_covers && under(question_.purpose, fact.purpose));
        const std::set<std::string> channels(fact.channels.begin(), fact.channels.end());
        return purpose && (channels.empty() || channels.contains(question_.channel));
    }

    bool is_about_labels(const Fact& fact) const {
        if (fact.labels.empty() || slip_ == Slip::labels_ignored) return true;
        const std::set<std::string> named(fact.labels.begin(), fact.labels.end());
        const auto is_named = [&](const std::string& label) { return named.contains(label); };
        const bool any = std::ranges::any_of(labels_, is_named);
        const bool all = !labels_.empty() && std::ranges::all_of(labels_, is_named);
        if (consent::is_denial(fact.state) || fact.state == State::expired)
            return slip_ == Slip::denial_needs_all_labels ? all : any;
        return slip_ == Slip::grant_needs_one_label ? any : all;
    }

    bool belongs(const Member& who, const Fact& fact) const {
        if (!who.quarantined_until_released) return true;
        if (fact.received >= *who.quarantined_until_released && slip_ != Slip::quarantine_for_ever)
            return false;
        return fact.scope == consent::Scope::person || fact.state == State::invalidated ||
               slip_ == Slip::quarantined_small_scope;
    }

    const Fact* newest_invalidation(const Member& who) const {
        const Fact* newest = nullptr;
        for (const Fact& fact : who.facts)
            if (fact.state == State::invalidated && is_about(fact) && belongs(who, fact) &&
                counts(fact.state, fact.origin, who.contact) && fact.time <= question_.now)
                if (!newest || fact.time > newest->time) newest = &fact;
        return newest;
    }

    // The fact speaks about the question and may be heard at `time`; a grant never before its day.
    bool heard(const Member& who, const Fact& fact, cdp::Timestamp time) const {
        const bool refuses = consent::is_denial(fact.state);
        const bool waits = !refuses || slip_ == Slip::future_denials_wait;
        const auto end = waits ? std::min(time, question_.now) : time;
        if (fact.time > end && slip_ != Slip::future_counts) return false;
        const bool believed = refuses || !who.contact ||
                              fact.origin != consent::Origin::client_stamp ||
                              slip_ == Slip::client_grants_addresses;
        if (!is_about(fact) || !is_about_labels(fact) || !believed || !belongs(who, fact))
            return false;
        const auto* end_of = newest_invalidation(who);
        if (!end_of || slip_ == Slip::invalidated_ignored) return true;
        return fact.time > end_of->time || (fact.time == end_of->time && refuses);
    }

    // A grant that is worth something by itself: a minor's with a guardian's, confirmed in time.
    bool is_whole(const Member& who, const Fact& grant) const {
        const bool young =
            grant.unguarded && consent::youngest(*grant.unguarded) < policy_.self_consent_age;
        if (young && slip_ != Slip::minors_alone) return false;
        if (!grant.request || slip_ == Slip::confirmation_unchecked) return true;
        return std::ranges::any_of(who.facts, [&](const Fact& asked) {
            return asked.state == State::pending_doi && asked.id == *grant.request &&
                   heard(who, asked, question_.now) && asked.time <= grant.time &&
                   (grant.time <= asked.confirm_by.value() || slip_ == Slip::confirmation_late);
        });
    }

    // ... and not a mere import where something was refused before and not granted since.
    bool opens(const Member& who, const Fact& fact, const Wanted& wanted) const {
        const bool may =
            grants(fact) || (slip_ == Slip::pending_grants && fact.state == State::pending_doi);
        if (!may || !is_whole(who, fact)) return false;
        if (!fact.unproven || slip_ == Slip::unproven_overrides) return true;
        const Fact* before = nullptr;
        for (const Fact& other : who.facts) {
            if (!heard(who, other, kAlways) || !wanted(other)) continue;
            const bool opened =
                grants(other) && comes_before(other, fact) && opens(who, other, wanted);
            const bool refused = denies(other) && other.time < fact.time;
            if (!opened && !refused) continue;
            if (!before || comes_before(*before, other)) before = &other;
        }
        return !before || grants(*before);
    }

    bool comes_before(const Fact& a, const Fact& b) const {
        return std::tuple(a.time, denies(a), a.id) < std::tuple(b.time, denies(b), b.id);
    }

    // Some later grant of the person names the denial.
    bool taken_back(const Member& who, const Fact& denial, cdp::Timestamp time) const {
        if (slip_ == Slip::overrides_ignored) return false;
        const auto until = std::min(time, question_.now);
        for (const Member& other : members_) {
            if (other.quarantined_until_released) continue;
            if (other.shared && other.token != who.token && slip_ != Slip::kiosk_overrides)
                continue;
            for (const Fact& fact : other.facts) {
                const bool speaks = (grants(fact) && !fact.unproven && is_whole(other, fact)) ||
                                    (fact.state == State::not_applicable &&
                                     fact.origin == consent::Origin::officer);
                const bool names =
                    std::ranges::count(fact.overrides, denial.id) > 0 ||
                    (slip_ == Slip::override_lifts_everything && !fact.overrides.empty());
                if (!speaks || !names || !heard(other, fact, until)) continue;
                if (who.quarantined_until_released &&
                    fact.received >= *who.quarantined_until_released)
                    continue;
                if (fact.time > denial.time || slip_ == Slip::override_before_denial) return true;
            }
        }
        return false;
    }

    // The greatest by (time, id) of the facts wanted.
    const Fact* latest(const Member& who, cdp::Timestamp time, const Wanted& wanted) const {
        const Fact* best = nullptr;
        for (const Fact& fact : who.facts) {
            if (!heard(who, fact, time) || !wanted(fact)) continue;
            if (!best || std::tie(fact.time, fact.id) > std::tie(best->time, best->id))
                best = &fact;
        }
        return best;
    }

    // Some grant among those wanted is later than the denial.
    bool lifted(const Member& who, const Fact& denial, cdp::Timestamp time,
                const Wanted& wanted) const {
        return std::ranges::any_of(who.facts, [&](const Fact& fact) {
            const bool later =
                slip_ == Slip::grants_win_ties ? fact.time >= denial.time : fact.time > denial.time;
            if (!later || !heard(who, fact, time) || !wanted(fact)) return false;
            return opens(who, fact, wanted) ||
                   (slip_ == Slip::expired_lifts && fact.state == State::expired);
        });
    }

    const Fact* denial_on(const Member& who, cdp::Timestamp time) const {
        const auto any = [](const Fact&) { return true; };
        const auto back_at = slip_ == Slip::override_of_the_past ? kAlways : time;
        const Fact* denial = latest(who, time, [&](const Fact& fact) {
            return denies(fact) && !taken_back(who, fact, back_at);
        });
        return denial && !lifted(who, *denial, time, any) ? denial : nullptr;
    }

    const Fact* newest_person_denial(cdp::Timestamp time, bool of_quarantined) const {
        const auto wide = [](const Fact& fact) { return fact.scope == consent::Scope::person; };
        const auto any = [](const Fact&) { return true; };
        const Fact* newest = nullptr;
        for (const Member& who : members_) {
            if (who.shared && slip_ != Slip::kiosk_spreads) continue;
            if (who.quarantined_until_released.has_value() != of_quarantined) continue;
            const auto back_at = slip_ == Slip::override_of_the_past ? kAlways : time;
            const Fact* denial = latest(who, time, [&](const Fact& fact) {
                const bool reaches =
                    wide(fact) || (of_quarantined && slip_ == Slip::quarantined_small_scope);
                return denies(fact) && reaches && !taken_back(who, fact, back_at);
            });
            if (!denial) continue;
            bool gone = lifted(who, *denial, time,
                               slip_ == Slip::any_grant_lifts ? Wanted(any) : Wanted(wide));
            if (slip_ == Slip::other_identifier_lifts)
                for (const Member& other : members_)
                    gone = gone || lifted(other, *denial, time, wide);
            if (gone) continue;
            if (!newest || std::tie(denial->time, denial->id) > std::tie(newest->time, newest->id))
                newest = denial;
        }
        return newest;
    }

    bool has_run_out(const Fact& grant) const {
        if (!grant.valid_until) return false;
        return slip_ == Slip::expiry_inclusive ? *grant.valid_until < question_.now
                                               : *grant.valid_until <= question_.now;
    }

    bool was_ended(const Member& who, const Fact& grant) const {
        if (slip_ == Slip::expired_ignored || restrictions_only_) return false;
        return std::ranges::any_of(who.facts, [&](const Fact& fact) {
            return fact.state == State::expired && heard(who, fact, question_.now) &&
                   fact.time >= grant.time;
        });
    }

    // Nobody confirmed it in time, nor recalled it where that is enough.
    bool is_overdue(const Member& who, const Fact& grant) const {
        if (slip_ == Slip::reconfirm_ignored) return false;
        for (const auto& rule : policy_.reconfirmations) {
            if (!rule.or_deny || !is_anywhere(rule.jurisdiction)) continue;
            const Fact* last = &grant;
            for (const Fact& fact : who.facts) {
                const bool renews =
                    fact.state == State::reconfirmed ||
                    (slip_ == Slip::notice_is_enough && fact.state == State::noticed);
                if (!renews || !heard(who, fact, question_.now)) continue;
                if (std::tie(fact.time, fact.id) > std::tie(last->time, last->id)) last = &fact;
            }
            if (last->reconfirm_due.value_or(last->time + rule.every) <= question_.now) return true;
        }
        return false;
    }

    consent::Reason standing_of(const Member& who, const Fact& grant) const {
        if (was_ended(who, grant) || has_run_out(grant)) return consent::Reason::expired;
        return is_overdue(who, grant) ? consent::Reason::reconfirm_overdue
                                      : consent::Reason::granted;
    }

    // Why nothing was heard: a grant that is not whole, a confirmation that is waited for.
    consent::Reason silence(const Member& who) const {
        const Fact* broken = latest(who, question_.now, [&](const Fact& fact) {
            return grants(fact) && !is_whole(who, fact);
        });
        if (broken)
            return broken->unguarded &&
                           consent::youngest(*broken->unguarded) < policy_.self_consent_age
                       ? consent::Reason::guardian_missing
                       : consent::Reason::pending_doi;
        const Fact* waits = latest(who, question_.now, [&](const Fact& fact) {
            return fact.state == State::pending_doi && question_.now < fact.confirm_by.value();
        });
        return waits ? consent::Reason::pending_doi : consent::Reason::never_asked;
    }

    // Of an identifier on which nothing is denied.
    consent::Reason grant_on(const Member& who) const {
        const auto any = [](const Fact&) { return true; };
        const Fact* grant =
            latest(who, question_.now, [&](const Fact& f) { return opens(who, f, any); });
        return grant ? standing_of(who, *grant) : silence(who);
    }

    bool is_granted(const Member& who) const {
        return !denial_on(who, kAlways) && grant_on(who) == consent::Reason::granted;
    }

    // A server or an officer recorded the account holder's own grant, and nothing was denied since.
    bool vouched(const Member& account) const {
        const auto any = [](const Fact&) { return true; };
        const auto vouches = [&](const Fact& fact) {
            return opens(account, fact, any) && fact.scope == consent::Scope::person &&
                   (fact.origin == consent::Origin::server ||
                    fact.origin == consent::Origin::officer ||
                    (slip_ == Slip::vouched_by_stamp &&
                     fact.origin == consent::Origin::server_stamp));
        };
        const Fact* grant = latest(account, question_.now, vouches);
        if (!account.account || !grant) return false;
        if (standing_of(account, *grant) != consent::Reason::granted) return false;
        return std::ranges::none_of(account.facts, [&](const Fact& fact) {
            return denies(fact) && heard(account, fact, kAlways) && fact.time >= grant->time &&
                   !taken_back(account, fact, kAlways);
        });
    }

    static bool is_in(const std::string& jurisdiction, const std::string& place) {
        return place == jurisdiction || place.rfind(jurisdiction + "-", 0) == 0;
    }

    std::set<std::string> places_said() const {
        std::set<std::string> places;
        if (slip_ == Slip::said_places_ignored) return places;
        for (const Member& who : members_)
            for (const Fact& fact : who.facts)
                if (!who.shared && is_about(fact) && !fact.jurisdiction.empty())
                    places.insert(fact.jurisdiction);
        return places;
    }

    bool is_anywhere(const std::string& jurisdiction) const {
        auto places = places_said();
        places.insert(question_.jurisdictions.begin(), question_.jurisdictions.end());
        return std::ranges::any_of(places,
                                   [&](const auto& place) { return is_in(jurisdiction, place); });
    }

    // The narrowest row that names the place; of these one that names the channel.
    Regime regime_at(const consent::Purpose& purpose, const std::string& place) const {
        std::optional<std::tuple<std::size_t, bool, Regime>> best;
        for (const auto& row : purpose.regimes) {
            if (!row.channels.empty() && !std::ranges::count(row.channels, question_.channel))
                continue;
            std::optional<std::size_t> fits;
            if (row.jurisdictions.empty()) fits = 0;
            for (const auto& jurisdiction : row.jurisdictions)
                if (is_in(jurisdiction, place))
                    fits = std::max(fits.value_or(0), jurisdiction.size());
            if (!fits) continue;
            const std::tuple candidate{*fits, !row.channels.empty(), row.regime};
            if (!best || candidate > *best) best = candidate;
        }
        return best ? std::get<Regime>(*best) : purpose.regime;
    }

    std::set<Regime> regimes_of(const consent::Purpose& purpose) const {
        std::set<Regime> regimes;
        if (question_.jurisdictions.empty()) regimes.insert(regime_at(purpose, ""));
        for (const auto& place : question_.jurisdictions) regimes.insert(regime_at(purpose, place));
        if (slip_ == Slip::first_regime_only) return {*regimes.rbegin()};
        for (const auto& place : places_said()) regimes.insert(regime_at(purpose, place));
        return regimes;
    }

    consent::Reason strictest(const consent::Purpose& purpose, const std::set<Regime>& regimes,
                              const Member& home, const Member* value, bool from_server) const {
        std::optional<consent::Reason> first;
        for (const Regime regime : regimes) {
            const auto reason = opted(purpose, regime, home, value, from_server);
            if (reason < consent::Reason::granted) return reason;
            if (!first) first = reason;
        }
        return *first;
    }

    consent::Reason opted(const consent::Purpose& purpose, Regime regime, const Member& home,
                          const Member* value, bool from_server) const {
        using enum consent::Reason;
        if (regime == Regime::person_opt_out) return not_objected;
        if (regime == Regime::contract) return contract;
        if (regime == Regime::legal_obligation) return legal_obligation;
        if (regime == Regime::person_opt_in) {
            if (is_granted(home) || (value && is_granted(*value))) return granted;
            if (slip_ == Slip::grants_spread)
                for (const Member& other : members_)
                    if (is_granted(other)) return granted;
            const auto own = grant_on(home);
            return own == never_asked && value ? grant_on(*value) : own;
        }
        if (value) return from_server && vouched(home) ? granted : grant_on(*value);
        if (grant_on(home) == granted || addressee_granted(purpose)) return granted;
        return grant_on(home);
    }

    bool addressee_granted(const consent::Purpose& purpose) const {
        return std::ranges::any_of(members_, [&](const Member& who) {
            return !who.shared && !who.quarantined_until_released &&
                   std::ranges::count(purpose.target_types, who.type) > 0 && is_granted(who);
        });
    }

    bool denied_when_captured(const consent::Datum& datum, const Member& home,
                              const Member* value) const {
        if (slip_ == Slip::capture_ignored) return false;
        const auto any = [](const Fact&) { return true; };
        if (value && slip_ != Slip::named_anew_ignored)
            for (const Fact& fact : value->facts)
                if (heard(*value, fact, question_.now) && opens(*value, fact, any) &&
                    fact.time >= datum.captured)
                    return false;
        const auto then = std::min(datum.captured, question_.now);
        return denial_on(home, then) || (value && denial_on(*value, then)) ||
               newest_person_denial(then, false) || newest_person_denial(then, true);
    }

    bool is_put_off(const consent::Purpose& purpose, const std::set<Regime>& regimes,
                    const consent::Datum& datum) const {
        if (slip_ == Slip::quiet_ignored) return false;
        if (purpose.sends() != consent::MessageClass::marketing) return false;
        const auto medium = policy_.find_channel(question_.channel)->medium;
        for (const auto& rule : policy_.quiet_hours) {
            if (!std::ranges::count(rule.mediums, medium) || !is_anywhere(rule.jurisdiction))
                continue;
            const auto minutes = std::chrono::floor<std::chrono::minutes>(
                (question_.now + rule.offset).time_since_epoch());
            const auto of_day = minutes % std::chrono::hours(24);
            const bool early =
                slip_ == Slip::quiet_until_inclusive ? of_day <= rule.until : of_day < rule.until;
            if ((of_day >= rule.from || early) && !may_wake(rule, purpose, regimes, datum))
                return true;
        }
        return false;
    }

    // The address, or without one whoever the datum was collected from, consented to the night.
    bool may_wake(const consent::QuietHours& rule, const consent::Purpose& purpose,
                  const std::set<Regime>& regimes, const consent::Datum& datum) const {
        Oracle night = *this;
        night.question_.purpose = rule.unless_granted;
        night.restrictions_only_ = restrictions_only_;
        if (night.newest_person_denial(kAlways, false) || night.newest_person_denial(kAlways, true))
            return false;
        const auto* home = member(datum.home);
        if (!home || night.denial_on(*home, kAlways)) return false;
        if (slip_ == Slip::night_spreads)
            for (const Member& who : members_)
                if (night.is_granted(who)) return true;
        if (datum.value) return night.is_granted(*member(*datum.value));
        return night.is_granted(*home) ||
               (regimes.contains(Regime::identifier_opt_in) && night.addressee_granted(purpose));
    }

    static consent::Reason reason_of(const Fact& denial) {
        return consent::parse_reason(to_string(denial.state)).value();
    }

    const consent::Policy& policy_;
    std::span<const Member> members_;
    consent::Question question_;
    Slip slip_;
    std::vector<std::string> labels_ = {};
    bool restrictions_only_ = false;
};

}  // namespace tests
