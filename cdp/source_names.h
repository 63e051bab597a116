#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_set>

#include "cdp/base/result.h"
#include "storage/snapshot.h"
#include "storage/transaction.h"
#include "storage/vault.h"

namespace cdp {

// The names of the sources that evidence knows by their hashes alone. Safe to use from many
// threads.
class SourceNames {
public:
    // It must outlive this.
    explicit SourceNames(const storage::Vault& vault)
        : vault_(vault), key_(vault.own_key("names of sources")) {}

    // Writes the name of a source into the transaction, unless it is known to be stored. Two that
    // write the same name at once do not get into each other's way.
    void keep(storage::Transaction& transaction, const std::string& name) const;
    // That a transaction which kept the name was committed.
    void committed(const std::string& name) const;

    // In hexadecimal digits when the name was never kept.
    Result<std::string> find(const storage::Snapshot& snapshot, std::uint32_t source) const;

private:
    const storage::Vault& vault_;
    const storage::SubjectKey key_;
    mutable std::mutex mutex_;
    mutable std::unordered_set<std::string> stored_;
};

}  // namespace cdp
