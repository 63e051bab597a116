#pragma once

#include <map>
#include <string>

#include "cdp/erasure_facts.h"
#include "cdp/people.h"
#include "cdp/queries.h"
#include "cdp/spellings.h"

namespace cdp {

struct WhomNeeds {
    const People& people;
    const storage::Vault& vault;
    const identity::Graph& graph;
    const Config& config;
};

// Whom an erasure by an identifier takes, with every spelling that must not come back;
// docs/decisions/0026. Errors: as of People::resolve and check_type_known; identifier_shared.
Result<Spelled> whom_to_erase(const WhomNeeds& needs, People::Reading reading,
                              const NamedIdentifier& named, ErasureScope scope);

// Stops everything about those whom it takes; `behind` as in Spelled.
Result<void> lay_tombstones(const Tombstones& tombstones, storage::Transaction& transaction,
                            const Erasure& erasure, const std::map<Token, std::string>& behind);

}  // namespace cdp
