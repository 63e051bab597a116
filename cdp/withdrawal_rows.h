#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "consent/sha256.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// Acknowledgements as they are stored: the rows of Space::acknowledged. A row stands under the
// identifier that the withdrawal names, so that persons may merge and split around it.
namespace cdp {

// That a recipient has taken note.
struct Acknowledged {
    Timestamp time{};
    std::string channel = {};
    std::string by = {};        // the name of the key
    consent::Sha256 salt = {};  // of its entry in the ledger

    // What the entry commits to, and with what. `record`: of the withdrawal.
    std::string said_of(const RecordId& record) const;
    consent::Sha256 commitment(const RecordId& record) const;
};

void write(storage::Transaction& transaction, const storage::Vault& vault, const RecordId& record,
           const Token& token, const Acknowledged& acknowledged);

// nullopt: not for all of the identifiers, or there are none; else the latest.
Result<std::optional<Acknowledged>> find_acknowledged(storage::Transaction& transaction,
                                                      const storage::Vault& vault,
                                                      const RecordId& record,
                                                      std::string_view channel,
                                                      std::span<const Token> tokens);

// Everything that any channel took note of; false stops.
using VisitAcknowledged = std::function<bool(const RecordId&, const Result<Acknowledged>&)>;
Result<void> each_acknowledged(const storage::Snapshot& snapshot, const VisitAcknowledged& visit);

}  // namespace cdp
