#include "cdp/filing.h"

#include "cdp/facts.h"
#include "cdp/trait_rows.h"

namespace cdp {

Result<void> file_traits(storage::Transaction& transaction, const TraitNeeds& needs,
                         const storage::SubjectKey& key, const Filing& filing) {
    const auto& [event, id, home, sightings, trust, source] = filing;
    if (!event.traits.empty()) Corrections::watch(transaction, home);
    for (const Trait& trait : event.traits) {
        const StoredTrait said{trait.name, trait.json, event.time, trust, source};
        if (CDP_TRY(needs.corrections.refuses(transaction, key, home, said))) continue;
        CDP_CHECK(keep_latest(transaction, key,
                              trait_key(home, needs.vault.hash<TraitName>("trait", trait.name)),
                              said));
    }
    return Result<void>::ok();
}

Result<void> file_folds(storage::Transaction& transaction, const TraitNeeds& needs,
                        const Groups& groups, const storage::SubjectKey& key,
                        const Filing& filing) {
    const auto& [event, id, home, sightings, trust, source] = filing;
    for (const auto& sighting : sightings)
        if (sighting.token != home)
            transaction.put(pointer_key(sighting.token, event.time, id), std::string(home.view()));
    CDP_CHECK(file_traits(transaction, needs, key, filing));
    return groups.file(transaction, event, home, trust, source);
}

}  // namespace cdp
