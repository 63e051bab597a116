#pragma once

#include <cstdint>
#include <string>

#include "identity/assertion.h"
#include "identity/change.h"
#include "storage/snapshot.h"
#include "storage/vault.h"

namespace cdp {

// One assertion as a JSON object, its identifiers by name. One whose name was erased is null.
Result<std::string> assertion_json(const storage::Vault& vault, const storage::Snapshot& snapshot,
                                   const identity::Assertion& assertion);

// The changes of persons from an index of their log on that one assertion caused, as JSON members:
// "changes":[…],"changed":N. Of very many the first are listed.
Result<std::string> changes_json(const storage::Snapshot& snapshot, std::uint64_t from,
                                 const identity::AssertionId& cause);

}  // namespace cdp
