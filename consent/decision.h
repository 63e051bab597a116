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
#include "consent/policy.h"

// May this datum be used for this purpose by this channel? Pure: no clock, no store.
namespace consent {

// Spelled as on the wire.
enum class Reason : std::uint8_t {
    never_asked,
    denied,
    withdrawn,
    objected,
    expired,
    captured_under_denial,  // collected while a denial was in force; no later grant releases it
    purpose_unknown,
    channel_unknown,
    purpose_not_registered,  // the channel is not registered for the purpose
    identifier_unknown,      // the datum names an identifier that is not among the person's
    unmapped,                // the field has no label
    label_not_allowed,       // the channel may not receive a label of the field
    not_collected_for,
    not_hashable,  // to be released as a hash, but not a text with a normal form
    unparsable,    // a contact, but not one that can be told: consent for it cannot be asked

    granted,
    not_objected,
    contract,
};

std::string_view to_string(Reason value);
std::optional<Reason> parse_reason(std::string_view name);

struct Decision {
    Reason reason = Reason::never_asked;
    // The record or cell that the reason rests on; none for never_asked, not_objected, contract and
    // the reasons that are not about consent.
    std::optional<cdp::RecordId> evidence = {};
    // From this time on the same facts may decide otherwise; nullopt: time alone changes nothing.
    // May be earlier than the true one, never later.
    std::optional<cdp::Timestamp> changes_at = {};

    bool allowed() const { return reason >= Reason::granted; }

    friend bool operator==(const Decision&, const Decision&) = default;
};

// An identifier of the person, with everything that was ever said under it. No two of a person have
// the same token.
struct Member {
    cdp::Token token = {};
    std::string type = {};
    bool contact = false;  // an e-mail address or phone number
    bool account = false;
    // Seen with several people: what is denied under it stays with it, what is granted opens
    // nothing else.
    bool shared = false;
    std::vector<Fact> facts = {};  // any order, duplicates allowed
};

struct Question {
    std::string purpose = {};
    std::string channel = {};
    cdp::Timestamp now{};
};

// What a decision needs to know of a datum.
struct Datum {
    cdp::Token home = {};  // the identifier under which it was collected
    std::optional<cdp::Token> value =
        {};                     // the identifier that it *is*: an e-mail trait, an identifier
    bool from_server = false;   // its source has trust server
    cdp::Timestamp captured{};  // its event time
};

// One person, one question, prepared once to decide about many data.
//
// A grant counts from its event time on, a denial at once. Per identifier the newest covering fact
// holds; at the same moment a denial wins. A denial of scope person under any member that is not
// shared refuses everything of the person until a later grant of scope person names that same
// identifier. Grants never spread. docs/decisions/0006 has the rules of each regime.
class Judge {
public:
    Judge(const Policy& policy, std::span<const Member> members, const Question& question);

    Decision decide(const Datum& datum) const;

    // What holds for one identifier by what was said under it alone: granted, a kind of denial,
    // expired or never_asked.
    Decision standing(const cdp::Token& token) const;

    // The reason of every decision when the question itself has no answer: an unknown purpose or
    // channel, or one that is not registered for the other.
    std::optional<Reason> refused() const { return refused_; }

    // The `changes_at` of every decision.
    std::optional<cdp::Timestamp> changes_at() const { return changes_at_; }

private:
    struct Word {
        Reason reason = Reason::never_asked;
        std::optional<cdp::RecordId> evidence = {};
    };
    // A denial in force from `from` until before `until`.
    struct Denied {
        cdp::Timestamp from;
        cdp::Timestamp until;
        Word word;
    };
    struct Identifier {
        cdp::Token token;
        Word word = {};  // the newest
        // An account for which a server or an officer recorded the person's own grant.
        std::optional<Word> vouched = {};
        std::optional<cdp::Timestamp> last_grant = {};
        std::vector<Denied> denied = {};
    };
    using Facts = std::span<const Fact* const>;  // in the fold's order

    static std::vector<Denied> denials(Facts facts);
    static const Word* denied_at(std::span<const Denied> denials, cdp::Timestamp time);
    void add(const Member& member, const Question& question);
    Word word_of(const Fact& fact) const;
    std::optional<Word> vouched(const Member& member, Facts facts) const;
    void note_changes(const Fact& fact);
    const Identifier* find(const cdp::Token& token) const;
    Word ruling(const Identifier& home, const Identifier* value, bool from_server) const;
    Word opt_in(const Identifier& home, const Identifier* value) const;
    Word address_opt_in(const Identifier& home, const Identifier* value, bool from_server) const;
    const Word* denied_at_capture(const Datum& datum, const Identifier& home,
                                  const Identifier* value) const;

    std::optional<Reason> refused_ = {};
    Regime regime_ = Regime::person_opt_in;
    std::vector<std::string> target_types_ = {};
    cdp::Timestamp now_{};
    std::vector<Identifier> identifiers_ = {};  // by token
    std::vector<Denied> person_denied_ = {};    // under any member, of scope person
    std::optional<Denied> person_denial_ = {};  // the newest of them that is in force now
    std::optional<Word> target_grant_ = {};     // of a member of a target type
    std::optional<cdp::Timestamp> changes_at_ = {};
};

}  // namespace consent
