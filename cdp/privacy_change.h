#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cdp/people.h"
#include "cdp/privacy_job.h"
#include "storage/transaction.h"
#include "storage/vault.h"

namespace cdp {

// One change of a request in one transaction: what it was, and what becomes of it.
class PrivacyChange {
public:
    PrivacyChange(storage::Transaction& transaction, const storage::Vault& vault, PrivacyRow row,
                  Timestamp now)
        : transaction_(transaction), vault_(vault), row_(std::move(row)), was_(row_), now_(now) {}

    // Changed by whoever decides; its state by `take` alone.
    PrivacyRow& row() { return row_; }
    PrivacyRequest& request() { return row_.request; }
    storage::Transaction& transaction() { return transaction_; }
    Timestamp now() const { return now_; }

    // A step, its entry in the ledger and, when the state changes, the callback that is owed.
    // step_not_possible (conflict). `remark`: the digest of one that put_remark keeps.
    Result<void> take(PrivacyAct act, const std::string& author, const std::string& code = {},
                      const std::string& detail = {}, const consent::Sha256& remark = {});
    // When it wants to be looked at next, by its state; of what is in progress whoever works on it
    // says.
    void schedule();
    // Writes the row, and what finds it. Last.
    void write();

private:
    storage::Transaction& transaction_;
    const storage::Vault& vault_;
    PrivacyRow row_;
    const PrivacyRow was_;
    const Timestamp now_;
};

// whole_of those whom a request names.
Result<std::vector<Token>> whole_named(const Spellings::Needs& needs, People::Reading reading,
                                       std::span<const NamedToken> named);

}  // namespace cdp
