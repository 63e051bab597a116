#pragma once

#include <string>

#include "cdp/audit.h"
#include "storage/transaction.h"

namespace cdp {

// [{"channel":…,"recipient":…,"times":N,"last":T,"status":…,"erasures":[ID,…]}]: who had been given
// anything of an identifier before it was erased, where they can be told and whether they took
// note; of its newest 1000 erasures.
// Empty when it was never erased.
Result<std::string> recipients_before_erasure(const AuditSources& sources,
                                              storage::Transaction& transaction,
                                              const Token& token);

}  // namespace cdp
