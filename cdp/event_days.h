#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "cdp/event_links.h"
#include "storage/snapshot.h"
#include "storage/space.h"
#include "storage/transaction.h"

namespace cdp {

// Events that count no more, and identifiers that those which are left name in vain.
struct Gone {
    std::set<EventId> events = {};
    std::set<Token> tokens = {};
};

// What the events of some UTC days say that stand. Each is read once; the transaction conflicts
// with an event that is stored meanwhile under an identifier that was asked about.
class EventDays {
public:
    // All must outlive it, and not change meanwhile. `gone`: left out; nullptr: nothing is.
    EventDays(const EventLinks& links, const storage::Snapshot& snapshot,
              storage::Transaction& transaction, const Gone* gone = nullptr)
        : links_(links), snapshot_(snapshot), transaction_(transaction), gone_(gone) {}

    // As what class some event says this: as that of `wanted` if any does; nullopt: none says it.
    // An event is filed or pointed to under both ends, but for what an alias call may mean: that is
    // known at its home only.
    Result<std::optional<identity::LinkClass>> says(const SaidLink& wanted);

    // The first moment of that day at which an alias call filed under `home` may have meant
    // `candidate`; nullopt: none did.
    Result<std::optional<Timestamp>> first_alias(const Token& home, const Token& candidate,
                                                 std::int32_t day);

private:
    using Events = std::map<EventId, FiledEvent>;

    Result<const std::vector<SaidLink>*> said_by_event(const FiledEvent& event);
    Result<const Events*> events_under(const Token& token, std::int32_t day);
    Result<void> gather(storage::Space space, const Token& token, std::int32_t day, Events& into);
    Result<std::optional<identity::Observation>> observed(const FiledEvent& event, bool retracted);

    const EventLinks& links_;
    const storage::Snapshot& snapshot_;
    storage::Transaction& transaction_;
    const Gone* gone_;
    std::map<std::pair<Token, std::int32_t>, Events> events_ = {};
    std::map<EventId, std::vector<SaidLink>> said_ = {};  // nothing, when it is retracted
};

}  // namespace cdp
