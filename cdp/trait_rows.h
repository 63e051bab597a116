#pragma once

#include <string>
#include <string_view>

#include "cdp/facts.h"
#include "storage/store.h"
#include "storage/vault.h"

// Rows of one sealed trait each, of an identifier or of a group: of each name the value that
// supersedes the others. A value that lost is still in its event.
namespace cdp {

Result<StoredTrait> open_trait(const storage::SubjectKey& key, std::string_view row,
                               std::string_view sealed);

// Writes `next` unless the row holds what supersedes it: any order of calls leaves the same row.
Result<void> keep_latest(storage::Transaction& transaction, const storage::SubjectKey& key,
                         const std::string& row, const StoredTrait& next);

}  // namespace cdp
