#pragma once

#include <vector>

#include "consent/ledger_check.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

// Everything that the platform keeps with the salt of its entry: notices, policies served under,
// releases of quarantines, acknowledgements of withdrawals, batches of disclosures, epochs
// that ended, steps of privacy requests and runs of retention. The vault must outlive it.
std::vector<consent::EachCommitted> committed_rows(const storage::Vault& vault);

// consent::check_ledger() of all that, while others write. What is erased during a check, with the
// epoch of its key behind it, looks damaged in the snapshot: a fault of what is not the ledger's
// own is told when a later snapshot has the same, or the fourth has one.
Result<consent::LedgerChecked> check_ledger(const storage::Store& store,
                                            const storage::Vault& vault,
                                            const consent::LedgerProgress& progress);

}  // namespace cdp
