#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "cdp/audit.h"
#include "cdp/json_text.h"
#include "cdp/people.h"
#include "cdp/queries.h"
#include "consent/consents.h"

// Questions about everybody: read page by page, each bounded by what is read for it too.
namespace cdp {

// Rows that one page looks at, whether or not they are told.
inline constexpr std::size_t kAuditRowsMax = 20'000;

// One page in the making.
class AuditPage {
public:
    // `question` is the one whose cursors these are. malformed_cursor, and as of check_limit.
    static Result<AuditPage> begin(std::string_view question, const PageQuery& query);

    void looked_at(std::size_t rows) { rows_ += rows; }
    // One object of the list.
    void tell(const std::string& json);
    // Somebody was told of.
    void tell_of(const Token& token) { identifiers_.insert(token); }
    void tell_of(const std::optional<PersonId>& person) {
        if (person) persons_.insert(*person);
    }

    // Nothing more may be looked at; at least one thing was.
    bool full() const { return told_ >= limit_ || rows_ >= kAuditRowsMax; }
    // Where the page before ended; empty: at the beginning.
    const std::string& after() const { return after_; }
    // There is more behind that place.
    void end_at(std::string place) { next_ = std::move(place); }

    // {MEMBERS"NAME":[…],"next":CURSOR|null}; members end with a comma.
    Shown shown(std::string_view name, const std::string& members = {}) &&;

private:
    AuditPage() = default;

    std::string question_;
    std::size_t limit_ = 0;
    std::string after_;
    std::string list_;
    std::size_t told_ = 0;
    std::size_t rows_ = 0;
    std::set<Token> identifiers_;
    std::set<PersonId> persons_;
    std::optional<std::string> next_;
};

// Everything that was said by anybody, a row under each identifier it names, from where the page
// before ended until this one is full.
using VisitSaid = std::function<Result<void>(const Token& token, const consent::Row& row)>;
Result<void> scan_said(const AuditSources& sources, const storage::Snapshot& snapshot,
                       AuditPage& page, const VisitSaid& visit);
// Records alone, each once.
using VisitRecord = std::function<Result<void>(const consent::Record& record)>;
Result<void> scan_records(const AuditSources& sources, const storage::Snapshot& snapshot,
                          AuditPage& page, const VisitRecord& visit);

// The person that an identifier is of today; nullopt: nobody's.
Result<std::optional<PersonId>> person_of(const AuditSources& sources, People::Reading reading,
                                          const Token& token);

// "identifiers":[{"type":…,"value":…,"person":…|null},…], each told of.
Result<std::string> asserted_members(const AuditSources& sources, People::Reading reading,
                                     const consent::Record& record, AuditPage& page);

// invalid_argument, invalid_status, unless it is empty or one of the two.
Result<void> check_status(const std::string& status, std::string_view one, std::string_view other);

// "HEX", null of none.
std::string person_json(const std::optional<PersonId>& person);

}  // namespace cdp
