#include "cdp/audit_scan.h"

#include <utility>
#include <variant>

#include "cdp/base/bytes.h"
#include "cdp/consent_json.h"
#include "cdp/paging.h"
#include "cdp/refuse.h"

namespace cdp {

Result<AuditPage> AuditPage::begin(std::string_view question, const PageQuery& query) {
    CDP_CHECK(check_limit(query.limit));
    AuditPage page;
    page.question_ = question;
    page.limit_ = query.limit;
    page.after_ = CDP_TRY(place_in(question, query.cursor));
    return page;
}

void AuditPage::tell(const std::string& json) {
    if (!list_.empty()) list_ += ',';
    list_ += json;
    ++told_;
}

Shown AuditPage::shown(std::string_view name, const std::string& members) && {
    auto json = "{" + members + "\"" + std::string(name) + "\":[" + list_ + "],\"next\":";
    json += next_ ? "\"" + cursor_to(question_, *next_) + "\"" : "null";
    return Shown(std::move(json) + "}", {.identifiers = {identifiers_.begin(), identifiers_.end()},
                                         .persons = {persons_.begin(), persons_.end()}});
}

Result<void> scan_said(const AuditSources& sources, const storage::Snapshot& snapshot,
                       AuditPage& page, const VisitSaid& visit) {
    std::string last;
    auto outcome = Result<void>::ok();
    CDP_CHECK(sources.consents.each_after(
        snapshot, page.after(),
        [&](const Token& token, const consent::Row& row, std::string_view place) {
            if (page.full()) {
                page.end_at(last);
                return false;
            }
            last = place;
            page.looked_at(1);
            outcome = visit(token, row);
            return static_cast<bool>(outcome);
        }));
    return outcome;
}

Result<void> scan_records(const AuditSources& sources, const storage::Snapshot& snapshot,
                          AuditPage& page, const VisitRecord& visit) {
    return scan_said(sources, snapshot, page,
                     [&](const Token& token, const consent::Row& row) -> Result<void> {
                         const auto* record = std::get_if<consent::Record>(&row);
                         if (!record || !CDP_TRY(consent::stands_first(snapshot, *record, token)))
                             return Result<void>::ok();
                         return visit(*record);
                     });
}

Result<std::optional<PersonId>> person_of(const AuditSources& sources, People::Reading reading,
                                          const Token& token) {
    const auto node = CDP_TRY(sources.graph.find(reading.transaction, token));
    if (!node || !node->active || !node->placed()) return std::optional<PersonId>();
    return std::optional(node->person());
}

Result<std::string> asserted_members(const AuditSources& sources, People::Reading reading,
                                     const consent::Record& record, AuditPage& page) {
    const StoredNames names(sources.vault, reading.snapshot);
    std::string list;
    for (const auto& one : record.asserted) {
        const auto person = CDP_TRY(person_of(sources, reading, one.token));
        list += (list.empty() ? "{" : ",{") + CDP_TRY(names.name_of(one.token)) +
                ",\"person\":" + person_json(person) + "}";
        page.tell_of(one.token);
        page.tell_of(person);
    }
    return "\"identifiers\":[" + list + "]";
}

Result<void> check_status(const std::string& status, std::string_view one, std::string_view other) {
    if (status.empty() || status == one || status == other) return Result<void>::ok();
    return refuse("invalid_status",
                  "A status is " + std::string(one) + " or " + std::string(other) + ".", "/status");
}

std::string person_json(const std::optional<PersonId>& person) {
    return person ? hex_json(person->view()) : "null";
}

}  // namespace cdp
