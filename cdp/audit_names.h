#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cdp/audit.h"
#include "cdp/audit_scan.h"
#include "storage/key.h"

// Names that stored data go by, met row by row.
namespace cdp {

struct NameMet {
    std::string name = {};
    Token identifier = {};
    Timestamp time{};
};

// Of a row of Space::trait; nullopt: it is erased, or says that there is nothing.
Result<std::optional<NameMet>> trait_met(const AuditSources& sources,
                                         const storage::Snapshot& snapshot, std::string_view key,
                                         std::string_view sealed);
// Of a row of Space::node: the identifier's type.
Result<std::optional<NameMet>> type_met(std::string_view key, std::string_view value);

// The rows of a space from a key of it on, or from its beginning, until the page is full or `visit`
// has no place for one: then the key of that row, to begin with on the next page. nullopt: these
// are all. malformed_cursor.
using VisitRow = std::function<Result<bool>(std::string_view key, std::string_view value)>;
Result<std::optional<std::string>> scan_rows(const storage::Snapshot& snapshot,
                                             storage::Space space, const std::string& from,
                                             AuditPage& page, const VisitRow& visit);

}  // namespace cdp
