#pragma once

#include <vector>

#include "consent/ledger_check.h"
#include "storage/vault.h"

namespace cdp {

// Everything that the platform keeps with the salt of its entry: notices, policies served under,
// releases of quarantines, acknowledgements of withdrawals, batches of disclosures, epochs
// that ended, steps of privacy requests and runs of retention. The vault must outlive it.
std::vector<consent::EachCommitted> committed_rows(const storage::Vault& vault);

}  // namespace cdp
