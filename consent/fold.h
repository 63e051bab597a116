#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"
#include "consent/fact.h"
#include "consent/policy.h"
#include "consent/reason.h"
#include "consent/suppression.h"

// What holds for each identifier of a person by everything that was said: what a Judge decides by.
namespace consent {

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
    std::vector<Fact> facts = {};                // any order, duplicates allowed
    std::vector<Suppression> suppressions = {};  // of the identifier
    // Not of the person any more: an operator's assertion split it off at this moment, and nobody
    // has released that yet. Its denials of scope person that were received before still refuse, as
    // `quarantined`; nothing else that was said under it counts, and no datum may name it.
    std::optional<cdp::Timestamp> quarantined_until_released = {};
};

// What is asked of the facts.
struct Topic {
    std::string purpose = {};
    std::string channel = {};
    cdp::Timestamp now{};
    std::vector<std::string> target_types = {};
    std::uint8_t self_consent_age = 0;
    bool restrictions_only = false;  // the purpose does not ask for consent
    std::vector<Reconfirmation> reconfirmations = {};
};

struct Word {
    Reason reason = Reason::never_asked;
    std::optional<cdp::RecordId> evidence = {};
    Obligations obligations = {};
};

// A denial in force from `from` until before `until`.
struct Denied {
    cdp::Timestamp from;
    cdp::Timestamp until;
    Word word;
};

// What was said under one identifier alone.
struct Standing {
    cdp::Token token;
    Word word = {};  // the newest
    // An account for which a server or an officer recorded the person's own grant.
    std::optional<Word> vouched = {};
    std::optional<cdp::Timestamp> last_grant = {};
    std::vector<Denied> denied = {};
    // When it changed hands, and by which record.
    std::optional<cdp::Timestamp> invalidated = {};
    std::optional<cdp::RecordId> invalidated_by = {};
};

class Fold {
public:
    // `labels` are the datum's; facts that name others say nothing about it. The members must live
    // as long as the call.
    Fold(std::span<const Member> members, const Topic& topic, std::span<const std::string> labels);

    const Standing* find(const cdp::Token& token) const;

    std::vector<Standing> standings = {};    // by token
    std::vector<Denied> person_denied = {};  // under any member, of scope person
    std::optional<Word> person_denial = {};  // the newest of them that is in force now
    std::optional<Word> quarantine = {};     // the same of quarantined members
    std::optional<Word> target_grant = {};   // of a member of a target type
    std::optional<cdp::Timestamp> changes_at = {};
    std::optional<cdp::Timestamp> no_reask_until = {};  // the latest of denials in force

private:
    struct Heard;
    struct Lift;
    using Facts = std::span<const Fact* const>;  // in the fold's order

    Heard hear(const Member& member, const Topic& topic, std::span<const std::string> labels);
    void note_changes(const Fact& fact, const Topic& topic);
    void note_lifts(const Heard& heard, std::vector<Lift>& lifts) const;
    void settle(const Heard& heard, const Topic& topic, std::span<const Lift> lifts);
    void spread(const Heard& heard, std::span<const Lift> lifts);
};

// Whether a fact speaks about a purpose and a channel.
bool speaks_of(const Fact& fact, std::string_view purpose, std::string_view channel);

const Word* denied_at(std::span<const Denied> denials, cdp::Timestamp time);

}  // namespace consent
