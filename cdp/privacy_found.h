#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/privacy_request.h"
#include "storage/snapshot.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// Whom a request led to, as of when it was done: rows of Space::privacy_request beside those of
// whom it names, sealed under the identifier that was named and gone with it.
namespace cdp {

// Nothing is filed of one that the request names no more.
Result<void> put_found(storage::Transaction& transaction, const storage::Vault& vault,
                       const PrivacyRequestId& id, std::span<const FoundPerson> found);
// Takes what was put there for one of them.
void erase_found(storage::Transaction& transaction, const PrivacyRequestId& id, const Token& asked);
// Of those that were not erased.
Result<std::vector<FoundPerson>> found_of(const storage::Snapshot& snapshot,
                                          const storage::Vault& vault, const PrivacyRequestId& id);
// Whether a row of put_found can be read; nullopt: it is of another kind.
std::optional<bool> found_opens(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                std::string_view key, std::string_view sealed);

}  // namespace cdp
