#include "cdp/filing.h"

#include "cdp/facts.h"
#include "cdp/trait_rows.h"

namespace cdp {

Result<void> file_folds(storage::Transaction& transaction, const storage::Vault& vault,
                        const Groups& groups, const storage::SubjectKey& key,
                        const Filing& filing) {
    const auto& [event, id, home, sightings, trust, source] = filing;
    for (const auto& sighting : sightings)
        if (sighting.token != home)
            transaction.put(pointer_key(sighting.token, event.time, id), std::string(home.view()));
    for (const Trait& trait : event.traits)
        CDP_CHECK(keep_latest(transaction, key,
                              trait_key(home, vault.hash<TraitName>("trait", trait.name)),
                              {trait.name, trait.json, event.time, trust, source}));
    return groups.file(transaction, event, home, trust, source);
}

}  // namespace cdp
