#pragma once

#include <cstdint>
#include <vector>

#include "cdp/disclosure_fold.h"
#include "cdp/disclosure_rows.h"
#include "cdp/known_masks.h"
#include "cdp/last_reads.h"
#include "consent/entry.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

// Writes batches with their rows, under every name they are looked for, and their entries of the
// ledger into one transaction. For one transaction.
class DisclosureWriter {
public:
    struct Needs {
        const storage::Vault& vault;
        const storage::Snapshot& snapshot;
        storage::Transaction& transaction;
        const KnownMasks& known;
    };
    // `given`: batch numbers that are taken.
    DisclosureWriter(Needs needs, std::uint64_t given)
        : needs_(needs), given_(given), reads_(needs.transaction, needs.vault) {}

    Result<void> write(DisclosureFold::Folded folded);
    // Between the two moments disclosures may be missing.
    void write_gap(Timestamp from, Timestamp until);

    std::uint64_t given() const { return given_; }
    // Stored when the transaction is.
    const std::vector<consent::MaskId>& masks() const { return masks_; }

private:
    Result<Token> subject_of(const DisclosureFold::Row& row) const;
    Result<void> write_mask(const DisclosureFold::Row& row);
    void write_batch(const consent::Batch& batch);

    Needs needs_;
    std::uint64_t given_;
    LastReads reads_;
    std::vector<consent::MaskId> masks_ = {};
};

}  // namespace cdp
