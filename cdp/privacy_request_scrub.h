#pragma once

#include <string_view>

#include "storage/snapshot.h"
#include "storage/vault.h"

namespace cdp {

// A row of Space::privacy_request, of whichever kind, can be read: what is filed under those a
// request names, and what is kept of it under its own id. Its steps are the ledger's check to open.
bool privacy_row_opens(const storage::Snapshot& snapshot, const storage::Vault& vault,
                       std::string_view key, std::string_view value);

}  // namespace cdp
