#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cdp/audit.h"
#include "cdp/audit_proofs.h"
#include "cdp/disclosure_rows.h"

// What was told of a person, as answers to officers show it.
namespace cdp {

struct DisclosedWanted {
    std::string_view question = {};  // whose cursors these are
    consent::BatchKind kind = consent::BatchKind::release;
    std::string purpose = {};  // and those below it; empty: all
    std::string channel = {};  // empty: all
    Timestamp since = Timestamp::min();
    Timestamp until = Timestamp::max();
    std::function<bool(const consent::Mask&)> mask = {};  // none: all
    std::size_t limit = 1000;                             // of a list
    std::string cursor = {};
};

struct DisclosedList {
    std::vector<Disclosed> rows = {};  // newest first
    std::uint64_t erased = 0;          // rows in the period that nobody can read any more
    std::string next = {};             // a cursor; empty: these are all
};

// From all identifiers of a person. Looks at 20,000 rows at most, then gives a cursor though the
// page may not be full. A walk ends with what was told
// before its first page, or its own reads would never let it end. `take` is given what is wanted,
// one by one, and the list has no rows. Errors: malformed_cursor; and of a list malformed_limit.
using TakeDisclosed = std::function<void(Disclosed row)>;
Result<DisclosedList> each_disclosed(const AuditSources& sources, const std::vector<Token>& members,
                                     const DisclosedWanted& wanted, const TakeDisclosed& take);
Result<DisclosedList> disclosed_of(const AuditSources& sources, const std::vector<Token>& members,
                                   const DisclosedWanted& wanted);

struct DisclosedShown {
    const DisclosedWanted& wanted;
    std::string_view field = {};  // marked as asked for
};
// A row with its proof. Of accesses the route and the reason in place of fields.
Result<std::string> disclosed_json(const AuditSources& sources, AuditProofs& proofs,
                                   const Disclosed& row, const DisclosedShown& shown);

// "gaps":[{"from":…,"until":…,"batch":…}]: in which disclosures may be missing.
Result<std::string> gaps_member(const AuditSources& sources, const DisclosedWanted& wanted);

// "erased":N,"next":CURSOR|null
std::string end_members(const DisclosedList& list);

}  // namespace cdp
