#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

#include "cdp/base/result.h"
#include "cdp/event.h"
#include "storage/snapshot.h"
#include "storage/transaction.h"
#include "storage/vault.h"

namespace cdp {

// A source that evidence knows by its hash alone.
struct KeptSource {
    std::string name = {};
    Trust trust = Trust::client;  // also of those that were kept before it was
};

// Their names and trust. Safe to use from many threads.
class SourceNames {
public:
    // It must outlive this.
    explicit SourceNames(const storage::Vault& vault)
        : vault_(vault), key_(vault.own_key("names of sources")) {}

    // Writes a source into the transaction, unless it is known to be stored. Two that write the
    // same one at once do not get into each other's way: a source has one trust.
    void keep(storage::Transaction& transaction, const KeptSource& source) const;
    // That a transaction which kept the name was committed.
    void committed(const std::string& name) const;

    // nullopt: it was never kept.
    Result<std::optional<KeptSource>> find(const storage::Snapshot& snapshot,
                                           std::uint32_t source) const;
    // In hexadecimal digits when it was never kept.
    Result<std::string> name(const storage::Snapshot& snapshot, std::uint32_t source) const;

private:
    const storage::Vault& vault_;
    const storage::SubjectKey key_;
    mutable std::mutex mutex_;
    mutable std::unordered_set<std::string> stored_;
};

}  // namespace cdp
