#pragma once

#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "cdp/config.h"
#include "cdp/event_rows.h"
#include "cdp/facts.h"
#include "cdp/people.h"
#include "cdp/sessions.h"
#include "identity/graph.h"
#include "storage/vault.h"

namespace cdp {

// Whose an event is, by what is stored and the persons as they are.
//
// By itself an event is of the person of its best identifier that is some person's: for most events
// the home, and nothing need be read. When all of them are shared, the sessions on its home decide
// (cdp/sessions.h); what they decide for nobody stays with the home.
//
// For one read, and remembers what it learnt of identifiers.
class Attribution {
public:
    struct Needs {
        const storage::Vault& vault;
        const identity::Graph& graph;
        const Config& config;
    };
    Attribution(Needs needs, People::Reading reading) : needs_(needs), reading_(reading) {}

    // nullopt: the identifier is shared, or does not count, and nothing is anybody's by it.
    Result<std::optional<PersonId>> person_of(const Token& token);

    // What an event's identifiers are to it.
    struct Marks {
        std::optional<Owner> owner = {};  // by itself
        std::vector<Token> shared = {};   // by which nothing is anybody's
    };
    Result<Marks> marks_of(const StoredEvent& event);

    // The rows of some identifiers, from a place on. The answer rests on all of them.
    EventRows rows_of(std::span<const Token> tokens, const Place& from) const;

    // nullopt: it was erased.
    Result<std::optional<StoredEvent>> open(const EventRow& row) const;

    // A shared identifier's row as its sessions see it; nullopt: it was erased.
    Result<std::optional<Touch>> touch_of(const EventRow& row);

    // What a shared identifier saw from an owned event on, that first: up to the next owned event,
    // or to where the chain breaks, or to where no session reaches. Whoever asks for what is later
    // than many events asks for the newest first: what is read for one is not read for the next.
    Result<std::vector<Touch>> earlier(const Token& shared, const Touch& from);
    Result<std::vector<Touch>> later(const Token& shared, const Touch& from);

    std::chrono::milliseconds session() const { return needs_.config.session; }

private:
    // What a shared identifier saw in the session over one place, newest first, nothing opened.
    struct Above {
        std::optional<Place> bottom = {};
        std::deque<EventRow> rows = {};
    };

    Result<bool> extend(std::vector<Touch>& chain, const EventRow& row);
    Result<bool> extend_up(std::vector<Touch>& chain, const std::deque<EventRow>& rows);
    Result<const std::deque<EventRow>*> above(const Token& shared, const Place& place);
    Result<void> read_down(const Token& shared, const Place& from, const Place& to,
                           std::deque<EventRow>& into) const;

    Needs needs_;
    People::Reading reading_;
    std::unordered_map<Token, std::optional<PersonId>> persons_ = {};
    std::unordered_map<Token, Above> above_ = {};  // by shared identifier
};

}  // namespace cdp
