#pragma once

#include "cdp/base/clock.h"
#include "cdp/config.h"
#include "cdp/corrections.h"
#include "cdp/people.h"
#include "consent/consents.h"
#include "identity/graph.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

// What passing persons through the gate needs. All of it outlives whoever reads.
struct ReadNeeds {
    const storage::Store& store;
    const storage::Vault& vault;
    const identity::Graph& graph;
    const People& people;
    const Corrections& corrections;
    const consent::Consents& consents;
    const Config& config;
    const Clock& clock;
};

}  // namespace cdp
