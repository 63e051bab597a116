#pragma once

#include "cdp/backlog.h"
#include "cdp/base/clock.h"
#include "cdp/config.h"
#include "cdp/corrections.h"
#include "cdp/platform.h"
#include "cdp/suppressed_tokens.h"
#include "cdp/tombstones.h"
#include "cdp/worker.h"
#include "consent/consents.h"
#include "consent/ledger.h"
#include "identity/graph.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

// What taking facts in needs. All of it outlives whoever takes them.
struct IntakeNeeds {
    storage::Store& store;
    const storage::Vault& vault;
    const identity::Graph& graph;
    const consent::Consents& consents;
    const Config& config;
    const Clock& clock;
    Counters& counters;
    Worker& again;  // for what lost a race: the committer's thread must not fold
    const consent::Ledger& ledger;
    const Tombstones& tombstones;
    const Corrections& corrections;
    const SuppressedTokens& suppressed;
    Backlog& backlog;  // a place is left before its request is answered: then all this may go
};

}  // namespace cdp
