#include <algorithm>
#include <optional>

#include "cdp/audit_answers.h"
#include "cdp/audit_scan.h"
#include "cdp/consent_json.h"
#include "cdp/refuse.h"
#include "consent/json_string.h"
#include "storage/key.h"

// Question 23: what others than the person recorded, and what shows it.
namespace cdp {
namespace {

using consent::json_string;

constexpr std::string_view kProven = "proven";
constexpr std::string_view kUnproven = "unproven";

std::string evidence_json(const std::vector<consent::Evidence>& all) {
    std::string out;
    for (const auto& one : all)
        out += (out.empty() ? "{\"kind\":" : ",{\"kind\":") + json_string(one.kind) +
               ",\"sha256\":" + hex_json(consent::view(one.sha256)) + "}";
    return "[" + out + "]";
}

std::string record_json(const consent::Record& record, const std::string& identifiers) {
    std::string out = "{\"id\":" + hex_json(record.id.view()) + "," + identifiers +
                      ",\"actor\":{\"kind\":\"" +
                      std::string(consent::to_string(record.actor.kind)) +
                      "\",\"id\":" + json_string(record.actor.id) + "}";
    out += ",\"origin\":\"" + std::string(consent::to_string(record.origin)) +
           "\",\"source\":" + json_string(record.source) +
           ",\"method\":" + json_string(consent::method_text(record)) +
           ",\"purpose\":" + json_string(record.purpose) + ",\"state\":\"" +
           std::string(consent::to_string(record.state)) + "\"";
    out += moment("time", record.time) + moment("received", record.received);
    out += record.evidence.empty() ? ",\"proven\":false" : ",\"proven\":true";
    return out + ",\"evidence\":" + evidence_json(record.evidence) + "}";
}

}  // namespace

Result<Shown> audit_records(const AuditSources& sources, const AuditQuery& query) {
    std::optional<consent::ActorKind> actor;
    if (!query.actor.empty()) {
        actor = consent::parse_actor_kind(query.actor);
        if (!actor)
            return refuse("invalid_actor", "An actor is one of self, officer, agent, import, api.",
                          "/actor");
    }
    CDP_CHECK(check_status(query.status, kProven, kUnproven));
    auto page = CDP_TRY(AuditPage::begin("records", query.page));
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    const auto wanted = [&](const consent::Record& record) {
        if (actor ? record.actor.kind != *actor : record.actor.kind == consent::ActorKind::self)
            return false;
        return query.status.empty() || (query.status == kUnproven) == record.evidence.empty();
    };
    const auto take = [&](const consent::Record& record) -> Result<void> {
        if (!wanted(record)) return Result<void>::ok();
        page.tell(record_json(record, CDP_TRY(asserted_members(sources, reading, record, page))));
        return Result<void>::ok();
    };
    CDP_CHECK(scan_records(sources, *snapshot, page, take));
    return std::move(page).shown("records");
}

}  // namespace cdp
