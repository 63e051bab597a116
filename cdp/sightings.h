#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "cdp/config.h"
#include "cdp/event.h"
#include "cdp/facts.h"
#include "identity/graph.h"

namespace cdp {

// A stored event read again, for what is not stored beside it: its identifiers and preferences. Its
// times are those of the row. nullopt when today's rules find no event in it.
std::optional<Event> read_again(const StoredEvent& event, const Config& config);

// An event's identifiers with their tokens, best first.
std::vector<identity::Sighting> sightings_of(const Event& event, const identity::Graph& graph);

// What an alias call's previous id may be; nullopt when there is none, or it identifies nobody.
std::optional<identity::Observation::Alias> alias_of(const Event& event,
                                                     const identity::Graph& graph,
                                                     const identity::IdentifierTypes& types);

// All that an event names, and what an alias call's previous id may be.
std::vector<Token> tokens_of(const identity::Observation& observation);

// Takes out of an observation whoever is not to be named; an alias call one meaning of which is
// such means nothing any more.
void leave_out(identity::Observation& seen, const std::function<bool(const Token&)>& whom);

// What an event says about who is who.
identity::Observation observation_of(const Event& event, std::uint32_t source_hash,
                                     const identity::Graph& graph,
                                     const identity::IdentifierTypes& types);

}  // namespace cdp
