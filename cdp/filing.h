#pragma once

#include <span>
#include <string>

#include "cdp/corrections.h"
#include "cdp/event.h"
#include "cdp/groups.h"
#include "identity/observation.h"
#include "storage/transaction.h"
#include "storage/vault.h"

namespace cdp {

// An event being filed under its home.
struct Filing {
    const Event& event;
    const EventId& id;
    const Token& home;
    std::span<const identity::Sighting> sightings;
    Trust trust = Trust::client;
    const std::string& source;
};

// What files traits. Both must outlive the call.
struct TraitNeeds {
    const storage::Vault& vault;
    const Corrections& corrections;
};

// The traits that an event taught, under its home, but for values that were put right there; `key`
// is the home's.
Result<void> file_traits(storage::Transaction& transaction, const TraitNeeds& needs,
                         const storage::SubjectKey& key, const Filing& filing);

// Writes what is folded of an event beside who is who: the pointers to it from its other
// identifiers, the traits it taught, its group. `key` is the home's.
Result<void> file_folds(storage::Transaction& transaction, const TraitNeeds& needs,
                        const Groups& groups, const storage::SubjectKey& key, const Filing& filing);

}  // namespace cdp
