#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include "consent/decision.h"

// The rules of docs/decisions/0006 said again, as sentences about all facts instead of a fold:
// slow, and without a line in common with the product. `Slip`s are wrong on purpose, to see that
// the comparison notices.
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
};

class Oracle {
public:
    Oracle(const consent::Policy& policy, std::span<const consent::Member> members,
           const consent::Question& question, Slip slip = Slip::none)
        : policy_(policy), members_(members), question_(question), slip_(slip) {}

    consent::Reason decide(const consent::Datum& datum) const {
        using enum consent::Reason;
        const auto* purpose = policy_.find_purpose(question_.purpose);
        if (purpose->regime == consent::Regime::contract) return contract;
        const auto* home = member(datum.home);
        const auto* value = datum.value ? member(*datum.value) : nullptr;
        if (!home || (datum.value && !value)) return identifier_unknown;

        if (const auto denial = newest_person_denial(kAlways)) return reason_of(*denial);
        if (const auto denial = denial_on(*home, kAlways)) return reason_of(*denial);
        if (value)
            if (const auto denial = denial_on(*value, kAlways)) return reason_of(*denial);

        const auto now = opted(*purpose, *home, value, datum.from_server);
        if (now < granted) return now;
        return denied_when_captured(datum, *home, value) ? captured_under_denial : now;
    }

    bool denied_when_captured(const consent::Datum& datum) const {
        return denied_when_captured(datum, *member(datum.home),
                                    datum.value ? member(*datum.value) : nullptr);
    }

private:
    using Fact = consent::Fact;
    using Member = consent::Member;

    static constexpr auto kAlways = cdp::Timestamp::max();

    static bool denies(const Fact& fact) { return fact.state != consent::State::granted; }

    const Member* member(const cdp::Token& token) const {
        for (const auto& one : members_)
            if (one.token == token) return &one;
        return nullptr;
    }

    static bool under(const std::string& ancestor, const std::string& name) {
        return name == ancestor || name.rfind(ancestor + "/", 0) == 0;
    }

    // The fact speaks about the question and may be heard at `time`; a grant never before its day.
    bool heard(const Member& who, const Fact& fact, cdp::Timestamp time) const {
        const bool waits = !denies(fact) || slip_ == Slip::future_denials_wait;
        const auto end = waits ? std::min(time, question_.now) : time;
        if (fact.time > end && slip_ != Slip::future_counts) return false;
        const bool purpose =
            under(fact.purpose, question_.purpose) ||
            (slip_ == Slip::descendant_covers && under(question_.purpose, fact.purpose));
        const std::set<std::string> channels(fact.channels.begin(), fact.channels.end());
        const bool channel = channels.empty() || channels.contains(question_.channel);
        const bool believed = denies(fact) || !who.contact ||
                              fact.origin != consent::Origin::client_stamp ||
                              slip_ == Slip::client_grants_addresses;
        return purpose && channel && believed;
    }

    using Wanted = std::function<bool(const Fact&)>;

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
            return !denies(fact) && heard(who, fact, time) && wanted(fact) && later;
        });
    }

    const Fact* denial_on(const Member& who, cdp::Timestamp time) const {
        const auto any = [](const Fact&) { return true; };
        const Fact* denial = latest(who, time, denies);
        return denial && !lifted(who, *denial, time, any) ? denial : nullptr;
    }

    const Fact* newest_person_denial(cdp::Timestamp time) const {
        const auto wide = [](const Fact& fact) { return fact.scope == consent::Scope::person; };
        const auto any = [](const Fact&) { return true; };
        const Fact* newest = nullptr;
        for (const Member& who : members_) {
            if (who.shared && slip_ != Slip::kiosk_spreads) continue;
            const Fact* denial =
                latest(who, time, [&](const Fact& fact) { return denies(fact) && wide(fact); });
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

    // Of an identifier on which nothing is denied.
    consent::Reason grant_on(const Member& who) const {
        const Fact* grant = latest(who, question_.now, [](const Fact& f) { return !denies(f); });
        if (!grant) return consent::Reason::never_asked;
        return has_run_out(*grant) ? consent::Reason::expired : consent::Reason::granted;
    }

    bool is_granted(const Member& who) const {
        return !denial_on(who, kAlways) && grant_on(who) == consent::Reason::granted;
    }

    // A server or an officer recorded the account holder's own grant, and nothing was denied since.
    bool vouched(const Member& account) const {
        const auto vouches = [&](const Fact& fact) {
            return !denies(fact) && fact.scope == consent::Scope::person &&
                   (fact.origin == consent::Origin::server ||
                    fact.origin == consent::Origin::officer ||
                    (slip_ == Slip::vouched_by_stamp &&
                     fact.origin == consent::Origin::server_stamp));
        };
        const Fact* grant = latest(account, question_.now, vouches);
        if (!account.account || !grant || has_run_out(*grant)) return false;
        return std::ranges::none_of(account.facts, [&](const Fact& fact) {
            return denies(fact) && heard(account, fact, kAlways) && fact.time >= grant->time;
        });
    }

    consent::Reason opted(const consent::Purpose& purpose, const Member& home, const Member* value,
                          bool from_server) const {
        using enum consent::Reason;
        if (purpose.regime == consent::Regime::person_opt_out) return not_objected;
        if (purpose.regime == consent::Regime::person_opt_in) {
            if (is_granted(home) || (value && is_granted(*value))) return granted;
            if (slip_ == Slip::grants_spread)
                for (const Member& other : members_)
                    if (is_granted(other)) return granted;
            const auto own = grant_on(home);
            return own == never_asked && value ? grant_on(*value) : own;
        }
        if (value) return from_server && vouched(home) ? granted : grant_on(*value);
        const auto addressed = [&](const Member& who) {
            return !who.shared && std::ranges::count(purpose.target_types, who.type) > 0 &&
                   is_granted(who);
        };
        return std::ranges::any_of(members_, addressed) ? granted : grant_on(home);
    }

    bool denied_when_captured(const consent::Datum& datum, const Member& home,
                              const Member* value) const {
        if (slip_ == Slip::capture_ignored) return false;
        if (value && slip_ != Slip::named_anew_ignored)
            for (const Fact& fact : value->facts)
                if (!denies(fact) && heard(*value, fact, question_.now) &&
                    fact.time >= datum.captured)
                    return false;
        const auto then = std::min(datum.captured, question_.now);
        return denial_on(home, then) || (value && denial_on(*value, then)) ||
               newest_person_denial(then);
    }

    static consent::Reason reason_of(const Fact& denial) {
        return consent::parse_reason(to_string(denial.state)).value();
    }
    static consent::Reason reason_of(const Fact* denial) { return reason_of(*denial); }

    const consent::Policy& policy_;
    std::span<const Member> members_;
    consent::Question question_;
    Slip slip_;
};

}  // namespace tests
