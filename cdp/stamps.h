#pragma once

#include <span>
#include <string>
#include <vector>

#include "cdp/event.h"
#include "consent/fact.h"
#include "consent/policy.h"
#include "identity/graph.h"

namespace cdp {

// One preference of an event, and the identifier it speaks for.
struct BoundStamp {
    Token token;
    consent::Stamp stamp;
};

// What an event's preferences say. They bind to the account the event carries, for the whole
// person; without one to its devices and cookies; without those to its home. Categories that stand
// for no purpose say nothing. What a client may not grant is decided where consent is decided.
std::vector<BoundStamp> stamps_of(const consent::Policy& policy,
                                  std::span<const Preference> preferences,
                                  std::span<const identity::Sighting> sightings,
                                  const std::string& source, Trust trust, Timestamp time);

}  // namespace cdp
