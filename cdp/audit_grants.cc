#include <algorithm>
#include <set>
#include <utility>

#include "cdp/audit_answers.h"
#include "cdp/audit_scan.h"
#include "cdp/audit_standing.h"
#include "cdp/consent_json.h"
#include "cdp/notices.h"
#include "cdp/refuse.h"
#include "consent/json_string.h"
#include "storage/key.h"

// Question 6: whose grant rests on a version of a notice.
namespace cdp {
namespace {

using consent::json_string;

constexpr std::string_view kInForce = "in_force";
constexpr std::string_view kAll = "all";

// What a version asks for, in all its languages.
Result<std::set<std::string>> purposes_of(const AuditSources& sources, People::Reading reading,
                                          const std::string& id, const std::string& version,
                                          const char* pointer) {
    std::set<std::string> purposes;
    for (const auto& one : CDP_TRY(sources.notices.versions(reading.transaction, id, version)))
        purposes.insert(one.purposes.begin(), one.purposes.end());
    if (purposes.empty())
        return Error{.code = ErrorCode::not_found,
                     .reason = "notice_unknown",
                     .message = "No such version of a notice was posted.",
                     .pointer = pointer};
    return purposes;
}

// Those of `wider` that nothing of `than` covers.
std::string beyond(const std::set<std::string>& wider, const std::set<std::string>& than) {
    std::string out;
    for (const auto& purpose : wider) {
        const auto covers = [&](const auto& said) { return consent::covers(said, purpose); };
        if (std::ranges::any_of(than, covers)) continue;
        out += (out.empty() ? "" : ",") + json_string(purpose);
    }
    return "[" + out + "]";
}

class Grants {
public:
    Grants(const AuditSources& sources, const AuditQuery& query, People::Reading reading,
           AuditPage& page)
        : sources_(sources),
          query_(query),
          reading_(reading),
          page_(page),
          persons_(sources, reading) {}

    Result<void> take(const Token& token, const consent::Row& row) {
        const auto* grant = std::get_if<consent::Record>(&row);
        if (!grant || grant->state != consent::State::granted) return Result<void>::ok();
        const auto notice = CDP_TRY(notice_of(token, *grant));
        if (notice.id != query_.id || notice.version != query_.version) return Result<void>::ok();
        const auto* person = CDP_TRY(load(token));
        const auto standing = standing_of(sources_, *person, token, *grant);
        if (standing.empty() && query_.status != kAll) return Result<void>::ok();
        page_.tell_of(token);
        page_.tell_of(person->id);
        page_.tell(CDP_TRY(json_of(token, *grant, notice, *person, standing)));
        return Result<void>::ok();
    }

private:
    // What confirms an opt-in rests on what was shown with the request.
    Result<consent::Notice> notice_of(const Token& token, const consent::Record& grant) {
        const auto& doi = grant.double_opt_in;
        if (!grant.notice.id.empty() || !doi || !doi->request) return grant.notice;
        const auto rows =
            CDP_TRY(sources_.consents.rows(reading_.snapshot, reading_.transaction, token));
        page_.looked_at(rows.size());
        for (const auto& row : rows)
            if (const auto* asked = std::get_if<consent::Record>(&row);
                asked && asked->id == doi->request)
                return asked->notice;
        return grant.notice;
    }

    Result<const StandingPersons::Loaded*> load(const Token& token) {
        const auto* person = CDP_TRY(persons_.find(token));
        if (loaded_ != person->asked) page_.looked_at(person->facts);
        loaded_ = person->asked;
        return person;
    }

    Result<std::string> json_of(const Token& token, const consent::Record& grant,
                                const consent::Notice& notice,
                                const StandingPersons::Loaded& person,
                                const std::vector<StandingUse>& standing) {
        const StoredNames names(sources_.vault, reading_.snapshot);
        std::string out = "{\"person\":" + person_json(person.id) + ",\"identifier\":{" +
                          CDP_TRY(names.name_of(token)) +
                          "},\"record\":" + hex_json(grant.id.view()) +
                          ",\"purpose\":" + json_string(grant.purpose) + moment("time", grant.time);
        if (!notice.language.empty()) out += ",\"language\":" + json_string(notice.language);
        out += standing.empty() ? ",\"in_force\":false" : ",\"in_force\":true";
        out += ",\"decides\":[";
        for (const auto& one : standing) {
            out +=
                (out.back() == '[' ? "" : ",") + ("{\"purpose\":" + json_string(one.use.purpose));
            if (!one.use.channel.empty()) out += ",\"channel\":" + json_string(one.use.channel);
            out += "," + decision_members(one.decision) + "}";
        }
        return out + "]}";
    }

    const AuditSources& sources_;
    const AuditQuery& query_;
    People::Reading reading_;
    AuditPage& page_;
    StandingPersons persons_;
    Token loaded_{};
};

}  // namespace

Result<Shown> audit_grants(const AuditSources& sources, const AuditQuery& query) {
    if (query.version.empty())
        return refuse("version_required", "Say which version of the notice.", "/version");
    CDP_CHECK(check_status(query.status, kInForce, kAll));
    auto page = CDP_TRY(AuditPage::begin("grants", query.page));
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    const auto asked = CDP_TRY(purposes_of(sources, reading, query.id, query.version, "/version"));
    std::string members =
        "\"notice\":" + json_string(query.id) + ",\"version\":" + json_string(query.version) + ",";
    if (!query.against.empty()) {
        const auto other =
            CDP_TRY(purposes_of(sources, reading, query.id, query.against, "/against"));
        members += "\"against\":" + json_string(query.against) +
                   ",\"widened\":" + beyond(other, asked) +
                   ",\"narrowed\":" + beyond(asked, other) + ",";
    }
    Grants grants(sources, query, reading, page);
    CDP_CHECK(scan_said(sources, *snapshot, page, [&](const Token& token, const consent::Row& row) {
        return grants.take(token, row);
    }));
    return std::move(page).shown("grants", members);
}

}  // namespace cdp
