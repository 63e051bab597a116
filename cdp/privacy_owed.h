#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cdp/base/result.h"
#include "cdp/privacy_queries.h"
#include "storage/snapshot.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// Changes of state that a protocol was not told of, as they are stored: a row of the request, and
// one that finds it by protocol and by when it is to be told. docs/STORAGE.md lists them.
namespace cdp {

std::string privacy_owed_prefix(PrivacyProtocol protocol);
// Its request, step and time; nullopt: it is no such key.
std::optional<OwedCallback> owed_in(std::string_view key);

// By its request, step, time and attempts.
void put_owed(storage::Transaction& transaction, PrivacyProtocol protocol,
              const OwedCallback& owed);
// Takes it away as it stands; nullopt: it was settled. data_damaged.
Result<std::optional<OwedCallback>> take_owed(storage::Transaction& transaction,
                                              PrivacyProtocol protocol, const OwedCallback& owed);
// With its attempts, and what the step says. data_damaged.
Result<OwedCallback> whole_owed(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                OwedCallback owed);

}  // namespace cdp
