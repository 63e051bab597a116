#pragma once

#include <span>
#include <string>
#include <vector>

#include "cdp/event.h"
#include "cdp/signal_intake.h"
#include "consent/fact.h"
#include "consent/policy.h"
#include "identity/graph.h"

namespace cdp {

// One preference of an event, and the identifier it speaks for.
struct BoundStamp {
    Token token;
    consent::Stamp stamp;
};

// What an event says about consent, and who said it.
struct SaidByEvent {
    std::span<const Preference> preferences;
    std::span<const ReadSignal> signals;
    std::span<const identity::Sighting> sightings;
    const std::string& source;
    Trust trust = Trust::client;
    Timestamp time{};
};

// What an event's preferences and signals say. They bind to the account the event carries, for the
// whole person; without one to its devices and cookies; without those to its home. Two signals
// differ: a browser's opt-out binds to account, devices and cookies alike, for the person whoever
// that turns out to be; a device's tracking permission to the same, for the device.
//
// Categories that stand for no purpose say nothing, nor does a notice nobody objected to. Where one
// event says different things of one purpose, its refusal stands and its grants are left out. What
// a client may not grant is decided where consent is decided.
std::vector<BoundStamp> stamps_of(const consent::Policy& policy, const SaidByEvent& said);

}  // namespace cdp
