#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "consent/consents.h"
#include "consent/sha256.h"
#include "storage/store.h"
#include "storage/vault.h"

// The rows of Space::consent and the entries of the ledger, byte by byte. README.md describes them.
namespace consent {

inline constexpr char kRecordKind = 'r';
inline constexpr char kCellKind = 'c';

// What was sealed into a row: the salt of its ledger entry, then what was said.
struct Opened {
    Sha256 salt;
    Row row;
};

std::string record_key(const cdp::Token& token, const Record& record);
std::string cell_key(const cdp::Token& token, const Stamp& stamp, const cdp::RecordId& id);
std::string group_prefix(const cdp::Token& token);
std::string records_prefix(const cdp::Token& token);

// The id a record's key ends with, without opening its value.
cdp::RecordId id_in(std::string_view record_key);

std::string seal_row(const storage::SubjectKey& key, std::string_view row_key,
                     const Opened& opened);
cdp::Result<Opened> open_row(const storage::SubjectKey& key, const cdp::Token& token,
                             std::string_view row_key, std::string_view sealed);

// What the entry of a stored row commits to: of a record the bytes as they were stored, in whatever
// format that was.
cdp::Result<Sha256> commitment_of(const storage::SubjectKey& key, const cdp::Token& token,
                                  std::string_view row_key, std::string_view sealed);

// What a cell's entry commits to: its identity, without the first moment, which may still move.
std::string cell_identity(const cdp::RecordId& id, const Stamp& stamp);
// nullopt: not what cell_identity wrote. Without the first moment.
std::optional<Cell> read_cell_identity(std::string_view bytes);

}  // namespace consent
