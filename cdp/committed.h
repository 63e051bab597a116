#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "consent/consents.h"
#include "consent/entry.h"
#include "consent/sha256.h"
#include "storage/store.h"
#include "storage/vault.h"

// What was said, beside the bytes that the ledger holds a commitment to.
namespace cdp {

struct Committed {
    Token under{};  // where it was found; a record stands under each identifier that it names
    consent::EntryType type = consent::EntryType::record;  // or cell
    consent::Sha256 salt{};
    std::string bytes = {};  // of a record as it was stored, in whatever format that was
    consent::Row row = {};

    const RecordId& id() const;
    Timestamp time() const;      // of a stamp's cell, its first moment
    Timestamp received() const;  // of a stamp's cell, the same
    consent::State state() const;
    const std::string& purpose() const;
    consent::Sha256 commitment() const;
};

// A stored row.
Result<Committed> open_committed(const storage::SubjectKey& key, const Token& under,
                                 std::string_view row_key, std::string_view sealed);

// A record or a stamp's cell by its id. nullopt: nobody said that under this identifier, or it was
// erased.
Result<std::optional<Committed>> find_committed(const storage::Snapshot& snapshot,
                                                const storage::Vault& vault, const Token& under,
                                                const RecordId& id);

// More rows than one answer may read.
Error history_too_long();

// Everything that was said under some identifiers, each once, newest first; nothing under one whose
// key was destroyed. Error unavailable (history_too_long): more rows than one answer may read.
Result<std::vector<Committed>> all_committed(const storage::Snapshot& snapshot,
                                             const storage::Vault& vault,
                                             const std::vector<Token>& under);

}  // namespace cdp
