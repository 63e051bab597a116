#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "identity/assertion_id.h"
#include "identity/retraction.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// What people say about who is who. An assertion is a fact with an author and a reason; it outranks
// evidence, survives replays, and can be revoked, which is a fact too.
namespace identity {

struct Said {
    std::string author;
    std::string reason;
    cdp::Timestamp time{};

    friend bool operator==(const Said&, const Said&) = default;
};

struct Assertion {
    AssertionId id{};
    AssertionKind kind = AssertionKind::must_link;
    // must_link, cannot_link: two; block, shared: one; retract: none, or the two ends of a link.
    std::vector<cdp::Token> identifiers;

    // retract only: a range, or single events. A range that names neither a source nor identifiers
    // is none, and neither is one that ends before it begins.
    Retraction range = {};
    std::string source_name = {};  // of the range, as people write it
    // What the range was asked as; exclusive at its end.
    std::optional<cdp::Timestamp> from = {}, to = {};
    // Single events that were taken where it cuts a day in two: see Assertions::take_event.
    std::uint32_t taken = 0;
    struct Event {
        cdp::EventId id;
        std::string source;
        std::string message_id;

        friend bool operator==(const Event&, const Event&) = default;
    };
    std::vector<Event> events = {};

    Said said = {};
    std::optional<Said> revoked = {};

    // Takes whole days of a source away, whoever was seen then.
    bool of_source() const {
        return kind == AssertionKind::retract && identifiers.empty() && range.source &&
               range.first_day <= range.last_day;
    }

    friend bool operator==(const Assertion&, const Assertion&) = default;
};

// What stands about one identifier, for the fold.
struct Standing {
    bool blocked = false;
    bool shared = false;
    std::vector<cdp::Token> must;
    std::vector<cdp::Token> cannot;
    std::vector<std::pair<cdp::Token, Retraction>> retracted;  // links to these

    bool empty() const {
        return !blocked && !shared && must.empty() && cannot.empty() && retracted.empty();
    }
};

// One thing that stands about an identifier, and the assertion that it stands because of.
struct StandingEntry {
    AssertionKind kind = AssertionKind::must_link;
    cdp::Token other;  // zero when the assertion names one identifier
    AssertionId id;
    Retraction range;
};

// Assertions in a store. Every change goes through the caller's transaction.
class Assertions {
public:
    explicit Assertions(const storage::Vault& vault) : key_(vault.own_key("assertions")) {}

    // Writes the fact and what stands because of it. Refuses, writing nothing:
    // identifier_unknown, retracts_nothing (not_found), same_identifier, contradicts_assertion
    // (conflict; the message and the detail name the one that stands), identifier_shared (a
    // must_link on one that several people have). One that stands already is answered with its id.
    cdp::Result<AssertionId> add(storage::Transaction& transaction,
                                 const Assertion& assertion) const;
    // already_revoked (conflict), assertion_unknown (not_found).
    cdp::Result<Assertion> revoke(storage::Transaction& transaction, const AssertionId& id,
                                  const Said& said) const;

    // One more event of a retraction: many, and not all of them named in the fact.
    static void take_event(storage::Transaction& transaction, const AssertionId& id,
                           const cdp::EventId& event);
    // All that were taken so and still are.
    static cdp::Result<std::vector<cdp::EventId>> taken_events(storage::Transaction& transaction,
                                                               const AssertionId& id);

    cdp::Result<std::optional<Assertion>> find(storage::Transaction& transaction,
                                               const AssertionId& id) const;
    // Newest first, from behind `after` on; the visit returns false to stop.
    cdp::Result<void> each(const storage::Snapshot& snapshot,
                           const std::optional<AssertionId>& after,
                           const std::function<bool(const Assertion&)>& visit) const;

    static cdp::Result<Standing> standing(storage::Transaction& transaction,
                                          const cdp::Token& token);
    // The same, one by one.
    static cdp::Result<std::vector<StandingEntry>> entries(storage::Transaction& transaction,
                                                           const cdp::Token& token);
    // Retractions of whole sources, one by one.
    static cdp::Result<std::vector<StandingEntry>> source_entries(
        storage::Transaction& transaction);
    // Of whole sources.
    static cdp::Result<std::vector<Retraction>> retractions(storage::Transaction& transaction);
    // All assertions that retract an event.
    static cdp::Result<std::vector<AssertionId>> retractions_of(storage::Transaction& transaction,
                                                                const cdp::EventId& event);
    // One of them.
    static cdp::Result<std::optional<AssertionId>> retracted(storage::Transaction& transaction,
                                                             const cdp::EventId& event);

private:
    cdp::Result<void> check(storage::Transaction& transaction, const Assertion& assertion) const;
    void write(storage::Transaction& transaction, const Assertion& assertion) const;

    storage::SubjectKey key_;
};

}  // namespace identity
