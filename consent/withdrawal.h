#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "consent/consents.h"
#include "storage/snapshot.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// The log of denials, in the order in which they were stored: whoever must tell others of them
// reads it from where they stopped. Consents appends to it in the commit that stores the denial.
namespace consent {

// Where a denial is found. Names nobody, so it is not sealed.
struct Withdrawal {
    // Under which it stands; sorted. None: it tells of who was erased, and stands nowhere.
    std::vector<cdp::Token> tokens = {};
    cdp::RecordId id = {};  // of the record or cell
    bool cell = false;
    cdp::Timestamp time{};      // when it was said; of a cell: some moment of its day
    cdp::Timestamp received{};  // when we were told

    friend bool operator==(const Withdrawal&, const Withdrawal&) = default;
};

// Key prefix of the log; the index follows as 8 bytes, big-endian.
std::string withdrawal_log();

void append(storage::Transaction& transaction, const Withdrawal& withdrawal);
// Of a row of the log. corruption, consent_damaged.
cdp::Result<Withdrawal> decode_withdrawal(std::string_view bytes);

// What was said. nullopt: nobody can read it any more, or its identifiers were erased.
cdp::Result<std::optional<Row>> find(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                     const Withdrawal& withdrawal);

}  // namespace consent
