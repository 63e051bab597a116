#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <unordered_set>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "storage/store.h"
#include "storage/transaction.h"
#include "storage/vault.h"

namespace cdp {

// Under which identifiers a suppression may stand: 64 bits of each, filled from the list when first
// asked. So reads and intake cost nothing more while nobody is suppressed, and little while
// somebody else is. Safe to use from many threads; the store and the vault must outlive it.
class SuppressedTokens {
public:
    SuppressedTokens(const storage::Store& store, const storage::Vault& vault)
        : store_(store), vault_(vault) {}

    // False: nothing was ever suppressed. What the transaction reads is current until something is.
    Result<bool> any(storage::Transaction& transaction) const;
    // False: nothing stands under the identifier. What the transaction reads is current until
    // something is said under it.
    Result<bool> may_have(storage::Transaction& transaction, const Token& token) const;

    // False: no phone number was, nor a hash of one, until something of the transaction's reads
    // changes. To look for numbers among texts is dear.
    Result<bool> any_number(storage::Transaction& transaction) const;

    // From now on they are looked up; call it before the commit.
    Result<void> put(std::span<const Token> tokens) const;
    // Among them are those of a phone number.
    Result<void> put_number(storage::Transaction& transaction) const;

    // What was suppressed by its hash stands from now on, and is listed, also under an address or
    // number that the transaction writes for the first time.
    Result<void> heed_hashes(storage::Transaction& transaction) const;

private:
    Result<void> load() const;
    Result<void> stand_under(storage::Transaction& transaction, const Token& hash,
                             const Token& token) const;

    const storage::Store& store_;
    const storage::Vault& vault_;
    mutable std::atomic<bool> loaded_ = false;
    mutable std::atomic<bool> numbers_ = false;
    mutable std::mutex loading_;
    mutable std::shared_mutex mutex_;  // starts_
    mutable std::unordered_set<std::uint64_t> starts_;
};

}  // namespace cdp
