#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "cdp/config.h"
#include "cdp/facts.h"
#include "identity/graph.h"
#include "identity/links.h"
#include "storage/transaction.h"
#include "storage/vault.h"

namespace cdp {

// Where an event is filed.
struct FiledEvent {
    EventId id{};
    Token home{};
    Timestamp time{};

    friend bool operator==(const FiledEvent&, const FiledEvent&) = default;
};

// Two identifiers of one event, and what it says about them.
struct SaidLink {
    Token a{};
    Token b{};
    identity::LinkDays row{};

    // Whatever its class: that is today's, and may have been another when it was stored.
    bool same(const SaidLink& other) const;
};

// As Graph::observe links them: all that were seen with each other, and what an alias call may mean
// with the first.
std::vector<SaidLink> said_by(const identity::Observation& observation);

class EventDays;

// Takes one event's day of a link back from both ends, unless some event of `days` says the same.
// `gone`, if given, is told of each row that holds no day any more.
Result<void> take_back(EventDays& days, storage::Transaction& transaction, const SaidLink& said,
                       const std::function<void(const identity::LinkDays&)>& gone = nullptr);

// The links that single events said, taken back and said again. The events themselves, their traits
// and stamps stay where they are.
class EventLinks {
public:
    struct Needs {
        const storage::Vault& vault;
        const identity::Graph& graph;
        const Config& config;
    };
    explicit EventLinks(Needs needs) : needs_(needs) {}

    // Where the events are; those that were never stored are left out. One whose messageId would no
    // longer be taken for a repetition is looked for among all events.
    static Result<std::vector<FiledEvent>> find(const storage::Snapshot& snapshot,
                                                storage::Transaction& transaction,
                                                std::span<const EventId> ids);

    // Whether the event, if it is of that source, links any two identifiers.
    Result<bool> links_any(const storage::Snapshot& snapshot, const FiledEvent& event,
                           std::string_view source) const;

    // What the event says, retracted or not. Nothing when it was erased.
    Result<std::vector<SaidLink>> said(const storage::Snapshot& snapshot,
                                       const FiledEvent& event) const;

    // Makes the stored links say what the events say that stand: a retracted event's are taken back
    // unless another event said the same, one that is not retracted any more says its own again.
    // Folds what that changes, and answers whom it folded. An event that was erased is left out.
    Result<std::vector<Token>> follow(const storage::Snapshot& snapshot,
                                      storage::Transaction& transaction,
                                      std::span<const FiledEvent> events,
                                      const identity::Cause& cause) const;

    struct Read {
        StoredEvent stored;
        identity::Observation observation;
    };
    // nullopt: it was erased, or today's rules find no event in it.
    Result<std::optional<Read>> read(const storage::Snapshot& snapshot,
                                     const FiledEvent& event) const;

private:
    static Result<void> keep_from_repeating(storage::Transaction& transaction,
                                            const FiledEvent& event, Timestamp until);

    Needs needs_;
};

}  // namespace cdp
