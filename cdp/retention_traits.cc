#include "cdp/retention_traits.h"

#include "cdp/retention.h"
#include "cdp/trait_rows.h"
#include "storage/key.h"

namespace cdp {

using storage::Space;

// For two rows, and the run's own.
bool TraitRetention::has_room() const {
    return needs_.transaction.writes().size() + 3 <= kPrunedRowsMax;
}

// Whether there was room for what `take` does of each.
Result<bool> TraitRetention::each(Space space, const Take& take) {
    std::vector<std::pair<std::string, std::string>> rows;
    CDP_CHECK(needs_.transaction.scan(storage::KeyWriter(space, needs_.home).str(),
                                      [&](std::string_view row, std::string_view sealed) {
                                          rows.emplace_back(row, sealed);
                                          return true;
                                      }));
    for (const auto& [row, sealed] : rows) {
        if (!has_room()) return false;
        CDP_CHECK(take(row, sealed));
    }
    return true;
}

Result<bool> TraitRetention::prune_corrections() {
    return each(Space::corrected,
                [&](std::string_view row, std::string_view sealed) -> Result<void> {
                    auto corrected = CDP_TRY(needs_.damaged.readable(
                        row, open_corrected(needs_.key, row, sealed), pruned_.unreadable));
                    if (!corrected || !corrected->right) return Result<void>::ok();
                    const auto expiry =
                        trait_expiry(needs_.config, corrected->name, corrected->right->time);
                    if (!is_past(expiry, needs_.now)) return Result<void>::ok();
                    ++pruned_.rules[expiry->rule].traits;
                    return drop_right(std::string(row), std::move(*corrected));
                });
}

// An older value, which it stood before, has passed too.
Result<void> TraitRetention::drop_right(const std::string& row, CorrectedTrait corrected) {
    auto& transaction = needs_.transaction;
    const auto shown =
        trait_key(needs_.home, needs_.vault.hash<TraitName>("trait", corrected.name));
    if (const auto sealed = CDP_TRY(transaction.get(shown))) {
        const auto trait = CDP_TRY(needs_.damaged.readable(
            shown, open_trait(needs_.key, shown, *sealed), pruned_.unreadable));
        if (trait && *trait == *corrected.right) {
            // An event that comes meanwhile may say such a value.
            transaction.watch(storage::KeyWriter(Space::event, needs_.home).str());
            transaction.erase(shown);
        }
    }
    corrected.right.reset();
    transaction.put(row, seal_corrected(needs_.key, row, corrected));
    return Result<void>::ok();
}

Result<bool> TraitRetention::prune_kept_facts() {
    return each(Space::trait, [&](std::string_view row, std::string_view sealed) -> Result<void> {
        const auto trait = CDP_TRY(
            needs_.damaged.readable(row, open_trait(needs_.key, row, sealed), pruned_.unreadable));
        if (!trait || trait->tellers.empty()) return Result<void>::ok();
        const auto expiry = trait_expiry(needs_.config, trait->name, trait->time);
        if (!is_past(expiry, needs_.now)) return Result<void>::ok();
        ++pruned_.rules[expiry->rule].traits;
        // As above.
        needs_.transaction.watch(storage::KeyWriter(Space::event, needs_.home).str());
        needs_.transaction.erase(std::string(row));
        return Result<void>::ok();
    });
}

}  // namespace cdp
