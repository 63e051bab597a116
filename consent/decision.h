#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"
#include "consent/fact.h"
#include "consent/fold.h"
#include "consent/policy.h"
#include "consent/reason.h"
#include "consent/suppressed.h"

// May this datum be used for this purpose by this channel? Pure: no clock, no store.
namespace consent {

struct Decision {
    Reason reason = Reason::never_asked;
    // The record or cell that the reason rests on; none for never_asked, not_objected, contract and
    // the reasons that are not about consent.
    std::optional<cdp::RecordId> evidence = {};
    // From this time on the same facts may decide otherwise; nullopt: time alone changes nothing.
    // May be earlier than the true one, never later.
    std::optional<cdp::Timestamp> changes_at = {};
    // With quiet_hours: ask again then.
    std::optional<cdp::Timestamp> defer_until = {};
    Obligations obligations = {};  // of what is allowed

    bool allowed() const { return reason >= Reason::granted; }
    Outcome outcome() const {
        if (allowed()) return Outcome::allow;
        return defer_until ? Outcome::defer_until : Outcome::deny;
    }

    friend bool operator==(const Decision&, const Decision&) = default;
};

struct Question {
    std::string purpose = {};
    std::string channel = {};
    cdp::Timestamp now{};
    // Where the person is known to be. Answers name further ones, which only make it stricter; of
    // several the strictest holds. None: the purpose's own regime.
    std::vector<std::string> jurisdictions = {};
    // What the caller means to send; refused when the purpose sends something else.
    std::optional<MessageClass> message_class = {};
};

// What a decision needs to know of a datum.
struct Datum {
    cdp::Token home = {};  // the identifier under which it was collected
    std::optional<cdp::Token> value =
        {};                     // the identifier that it *is*: an e-mail trait, an identifier
    bool from_server = false;   // its source has trust server
    cdp::Timestamp captured{};  // its event time
    // Its classes. What was denied of one of them refuses it, what was granted opens it when all of
    // them were meant. The gate takes the field's.
    std::span<const std::string> labels = {};
};

// One thing that a decision rests on.
struct Cause {
    Reason reason = Reason::never_asked;
    std::optional<cdp::RecordId> evidence = {};
    // The identifier under which it was said; none: of the whole person.
    std::optional<cdp::Token> identifier = {};

    friend bool operator==(const Cause&, const Cause&) = default;
};

// One person, one question, prepared once to decide about many data.
//
// A grant counts from the time it is in effect, a denial at once. Per identifier the newest
// covering fact holds; at the same moment a denial wins. A denial of scope person under any member
// that is not shared refuses everything of the person until a later grant of scope person names
// that same identifier, or any later grant of the person names the denial itself in `overrides`,
// and that only while both are the person's. Grants never spread. Before all of it, and in every
// regime, comes what is suppressed. docs/decisions/0006, 0016 and 0030 have the rules.
class Judge {
public:
    Judge(const Policy& policy, std::span<const Member> members, const Question& question);

    Decision decide(const Datum& datum) const;

    // Everything that refuses the datum, or else what allows it; the decision's own reason first.
    std::vector<Cause> explain(const Datum& datum) const;

    // What holds for one identifier by what was said under it alone: granted, a kind of denial,
    // expired, never_asked and the like. Of data without labels.
    Decision standing(const cdp::Token& token) const;

    // The reason of every decision when the question itself has no answer: an unknown purpose or
    // channel, or one that is not registered for the other.
    std::optional<Reason> refused() const { return refused_; }

    // The `changes_at` of every decision.
    std::optional<cdp::Timestamp> changes_at() const { return changes_at_; }

    // Somebody who refused may not be asked again before.
    std::optional<cdp::Timestamp> no_reask_until() const;

private:
    // Hours that are quiet now, and who has opened them.
    struct Night {
        cdp::Timestamp until;
        std::optional<Topic> topic;
    };
    struct Folds {
        Fold main;
        std::vector<std::optional<Fold>> nights;
    };

    void place(const Policy& policy, std::span<const Member> members, const Question& question);
    void set_regimes(const Purpose& purpose, const Question& question,
                     std::span<const std::string> said);
    void set_clocks(const Policy& policy, const Purpose& purpose, const Channel& channel,
                    std::span<const std::string> places);
    void keep_labelled(std::span<const Member> members);
    bool has(Regime regime) const;
    bool asks_consent() const;
    void note(cdp::Timestamp time);

    Folds fold(std::span<const Member> members, std::span<const std::string> labels) const;
    Decision decide(const Folds& folds, const Datum& datum) const;
    Word ruling(const Fold& fold, const Standing* home, const Standing* value,
                bool from_server) const;
    Word opted(Regime regime, const Fold& fold, const Standing& home, const Standing* value,
               bool from_server) const;
    std::optional<Word> refusal_then(const Fold& fold, const Datum& datum, const Standing& home,
                                     const Standing* value) const;
    std::optional<cdp::Timestamp> put_off(const Folds& folds, const Datum& datum) const;

    std::optional<Reason> refused_ = {};
    Suppressed suppressed_;
    std::uint8_t regimes_ = 0;  // a bit for each; all must allow
    Topic topic_ = {};
    std::vector<Night> nights_ = {};
    bool label_advertisement_ = false;
    std::optional<Folds> folds_ = {};    // of data without labels
    std::vector<Member> labelled_ = {};  // kept when facts name labels; empty: the folds do for all
    std::optional<cdp::Timestamp> changes_at_ = {};
};

}  // namespace consent
