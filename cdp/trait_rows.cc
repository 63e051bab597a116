#include "cdp/trait_rows.h"

namespace cdp {

Result<StoredTrait> open_trait(const storage::SubjectKey& key, std::string_view row,
                               std::string_view sealed) {
    auto trait = decode_trait(CDP_TRY(storage::Vault::open(key, row, sealed)));
    if (!trait) return damaged("a trait that cannot be read");
    return std::move(*trait);
}

Result<void> keep_latest(storage::Transaction& transaction, const storage::SubjectKey& key,
                         const std::string& row, const StoredTrait& next) {
    if (const auto sealed = CDP_TRY(transaction.get(row)))
        if (!supersedes(next, CDP_TRY(open_trait(key, row, *sealed)))) return Result<void>::ok();
    transaction.put(row, storage::Vault::seal(key, row, encode(next)));
    return Result<void>::ok();
}

}  // namespace cdp
