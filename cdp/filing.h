#pragma once

#include <span>
#include <string>

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

// Writes what is folded of an event beside who is who: the pointers to it from its other
// identifiers, the traits it taught, its group. `key` is the home's.
Result<void> file_folds(storage::Transaction& transaction, const storage::Vault& vault,
                        const Groups& groups, const storage::SubjectKey& key, const Filing& filing);

}  // namespace cdp
