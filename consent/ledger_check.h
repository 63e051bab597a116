#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cdp/base/result.h"
#include "consent/sha256.h"
#include "storage/snapshot.h"
#include "storage/vault.h"

namespace consent {

// The first thing that does not fit.
struct LedgerFault {
    std::string what = {};                    // entry, tile, checkpoint, record, cell or another
    std::optional<std::uint64_t> index = {};  // of the entry, or the first one below the tile
    std::string id = {};                      // of the record or cell, hexadecimal; of another
    std::string why = {};                     // a sentence

    friend bool operator==(const LedgerFault&, const LedgerFault&) = default;
};

struct LedgerChecked {
    std::uint64_t entries = 0;
    std::uint64_t published = 0;  // of them, by the checkpoint
    std::uint64_t records = 0;    // rows: one under each identifier that a record asserts
    std::uint64_t cells = 0;
    std::uint64_t others = 0;  // what else is kept with the salt of its entry
    std::optional<LedgerFault> fault = {};
};

// Something else than a record or cell that is kept with the salt of its entry.
struct Committed {
    std::string what = {};
    std::string id = {};                    // by which an operator finds it
    std::optional<Sha256> commitment = {};  // nullopt: its row cannot be read
};
// All of one kind, until the visit returns false.
using EachCommitted = std::function<cdp::Result<void>(
    const storage::Snapshot&, const std::function<bool(const Committed&)>& visit)>;

// `done` rows of a stage, which is `entries` or `records`. False stops (error stopped).
using LedgerProgress = std::function<bool(std::string_view stage, std::uint64_t done)>;

// Computes every hash again from the entries and holds it against the tiles and the checkpoint, and
// every commitment from the records, the cells and `others`, and holds it against its entry. An
// Error is one of the store's own: bytes that cannot be read at all.
cdp::Result<LedgerChecked> check_ledger(const storage::Snapshot& snapshot,
                                        const storage::Vault& vault, const LedgerProgress& progress,
                                        std::span<const EachCommitted> others = {});

// The first half alone: entries, tiles and checkpoint.
cdp::Result<LedgerChecked> check_tree(const storage::Snapshot& snapshot,
                                      const LedgerProgress& progress);

}  // namespace consent
