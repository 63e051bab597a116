#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"
#include "consent/record.h"

namespace consent {

// One thing that was said about one identifier at one moment: all that a decision reads.
struct Fact {
    cdp::RecordId id = {};  // of the record or of the stamp's cell
    std::string purpose = {};
    std::vector<std::string> channels = {};  // empty: all
    State state = State::denied;
    Scope scope = Scope::person;
    Origin origin = Origin::client_stamp;
    cdp::Timestamp time{};                           // from which on it is in effect
    std::optional<cdp::Timestamp> valid_until = {};  // exclusive
    bool cell = false;                     // the first stamp of its day; refine() may know more
    std::vector<std::string> labels = {};  // empty: all
    cdp::Timestamp received{};             // of a cell: its time, which is no later
    std::optional<cdp::Timestamp> reconfirm_due = {};
    std::optional<cdp::Timestamp> no_reask_until = {};
    std::optional<cdp::RecordId> request = {};  // of a grant: the pending record that it confirms
    std::optional<cdp::Timestamp> confirm_by = {};  // of a pending record
    std::optional<AgeBand> unguarded = {};          // a minor's, without a guardian's record
    bool unproven = false;                          // imported without evidence
    std::vector<cdp::RecordId> overrides = {};
    std::string jurisdiction = {};
    // Of a cell that was read from a signal: its digest.
    std::optional<Sha256> signal = {};

    friend bool operator==(const Fact&, const Fact&) = default;
};

// What the record says under one of the identifiers it asserts, whose strength bounds how far it
// reaches.
Fact fact_of(const Record& record, const cdp::Token& under);

// The signal that a stamp was read from. Its text is kept apart, see signal_rows.h.
struct StampSignal {
    SignalType type = SignalType::gpc;
    Sha256 digest = {};  // of the text

    friend bool operator==(const StampSignal&, const StampSignal&) = default;
};

// One preference that an SDK put on one event, or what a signal that came with it says.
struct Stamp {
    std::string source = {};
    std::string purpose = {};
    State state = State::denied;
    Scope scope = Scope::device;
    Origin origin = Origin::client_stamp;
    cdp::Timestamp time{};     // of the event
    std::string channel = {};  // empty: all
    std::optional<StampSignal> signal = {};

    friend bool operator==(const Stamp&, const Stamp&) = default;
};

// SDKs repeat a stamp on every event, so only the first of a UTC day is stored: a *cell*. Its id is
// the identity of (token, day, source, purpose, state, scope, origin, channel, signal), whatever
// the order of arrival.
cdp::RecordId cell_id(const cdp::Token& token, const Stamp& stamp);

// What one stamp of that cell says.
Fact fact_of(const cdp::RecordId& cell, const Stamp& stamp);

// A day on which a cell's first moment does not settle what an identifier's last word was: another
// fact of the same identifier, day and purpose (or an ancestor or descendant of it) says the
// opposite or runs out. Rare: somebody changed their mind that day. What one signal says to some
// and not to others it says at the same moments, so that is no contest.
struct Contested {
    cdp::Token token;
    std::string purpose;
    std::int32_t day = 0;  // cdp::day_of

    friend auto operator<=>(const Contested&, const Contested&) = default;
};

// Sorted and distinct. `facts` are those of `token`.
std::vector<Contested> contested(const cdp::Token& token, std::span<const Fact> facts);

// The facts of `token` with the stamps of its contested days added, as the stored events have them;
// `observed` may hold other stamps, which are ignored. The result decides like cells that kept
// every moment, without the write that each repetition would cost. A day whose events are gone
// keeps the first moments.
std::vector<Fact> refine(const cdp::Token& token, std::vector<Fact> facts,
                         std::span<const Stamp> observed);

}  // namespace consent
