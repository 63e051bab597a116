#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "cdp/audit_answers.h"
#include "cdp/audit_scan.h"
#include "cdp/audit_standing.h"
#include "cdp/consent_json.h"
#include "consent/json_string.h"
#include "storage/key.h"

// Question 14: what was said of minors, and what shows that a guardian agreed.
namespace cdp {
namespace {

using consent::json_string;

constexpr std::string_view kMissing = "missing";
constexpr std::string_view kPresent = "present";

// What is named as the guardian's answer.
struct GuardianProof {
    std::optional<consent::Record> record = {};
    bool covers = false;
    bool in_force = false;
    const char* lacks = nullptr;  // nullptr: nothing
};

// Narrower than the minor's answer it does not cover that.
bool within(const std::vector<std::string>& asked, const std::vector<std::string>& said) {
    if (said.empty()) return true;
    return !asked.empty() && std::ranges::all_of(asked, [&](const std::string& one) {
        return std::ranges::find(said, one) != said.end();
    });
}

bool covers(const consent::Record& guardian, const consent::Record& minor) {
    return guardian.state == consent::State::granted &&
           consent::covers(guardian.purpose, minor.purpose) &&
           within(minor.channels, guardian.channels) && within(minor.labels, guardian.labels);
}

class Minors {
public:
    Minors(const AuditSources& sources, const AuditQuery& query, People::Reading reading,
           AuditPage& page)
        : sources_(sources), query_(query), reading_(reading), page_(page) {}

    Result<void> take(const consent::Record& record) {
        if (!record.minor) return Result<void>::ok();
        const auto proof = CDP_TRY(proof_of(record));
        if (!query_.status.empty() && (query_.status == kMissing) != (proof.lacks != nullptr))
            return Result<void>::ok();
        page_.tell(CDP_TRY(json_of(record, proof)));
        return Result<void>::ok();
    }

private:
    Result<GuardianProof> proof_of(const consent::Record& record) {
        const auto& minor = *record.minor;
        GuardianProof proof;
        const auto lacking = [&](const char* what) {
            proof.lacks = what;
            return proof;
        };
        if (!minor.guardian) return lacking("guardian_unnamed");
        if (!minor.guardian_record) return lacking("guardian_record_unnamed");
        proof.record = CDP_TRY(find(*minor.guardian, *minor.guardian_record));
        if (!proof.record) return lacking("guardian_record_unknown");
        if (proof.record->state != consent::State::granted)
            return lacking("guardian_record_no_grant");
        proof.covers = covers(*proof.record, record);
        StandingPersons persons(sources_, reading_);
        const auto* guardian = CDP_TRY(persons.find(*minor.guardian));
        page_.looked_at(guardian->facts);
        proof.in_force = !standing_of(sources_, *guardian, *minor.guardian, *proof.record).empty();
        if (!proof.covers) return lacking("guardian_record_covers_less");
        if (!proof.in_force) return lacking("guardian_record_not_in_force");
        return proof;
    }

    // What was said under the guardian's identifier.
    Result<std::optional<consent::Record>> find(const Token& guardian, const RecordId& id) {
        auto rows =
            CDP_TRY(sources_.consents.rows(reading_.snapshot, reading_.transaction, guardian));
        page_.looked_at(rows.size());
        for (auto& row : rows)
            if (auto* record = std::get_if<consent::Record>(&row); record && record->id == id)
                return std::optional(std::move(*record));
        return std::optional<consent::Record>();
    }

    Result<std::string> json_of(const consent::Record& record, const GuardianProof& proof) {
        const auto& minor = *record.minor;
        const StoredNames names(sources_.vault, reading_.snapshot);
        std::string out = "{\"id\":" + hex_json(record.id.view()) + "," +
                          CDP_TRY(asserted_members(sources_, reading_, record, page_)) +
                          ",\"purpose\":" + json_string(record.purpose) + ",\"state\":\"" +
                          std::string(consent::to_string(record.state)) + "\"" +
                          moment("time", record.time) + ",\"age_band\":\"" +
                          std::string(consent::to_string(minor.age_band)) + "\",\"guardian\":";
        if (minor.guardian) {
            out += "{" + CDP_TRY(names.name_of(*minor.guardian)) + "}";
            page_.tell_of(*minor.guardian);
            page_.tell_of(CDP_TRY(person_of(sources_, reading_, *minor.guardian)));
        } else {
            out += "null";
        }
        out += ",\"verification\":";
        out += minor.verification.empty() ? "null" : json_string(minor.verification);
        out += ",\"guardian_record\":" + guardian_record_json(minor, proof);
        out += ",\"actor\":{\"kind\":\"" + std::string(consent::to_string(record.actor.kind)) +
               "\",\"id\":" + json_string(record.actor.id) +
               "},\"source\":" + json_string(record.source);
        if (!proof.lacks) return out + ",\"guardian_proof\":true}";
        return out + ",\"guardian_proof\":false,\"lacks\":\"" + proof.lacks + "\"}";
    }

    static std::string guardian_record_json(const consent::Minor& minor,
                                            const GuardianProof& proof) {
        if (!minor.guardian_record) return "null";
        const auto out = "{\"id\":" + hex_json(minor.guardian_record->view());
        if (!proof.record) return out + ",\"exists\":false}";
        return out + ",\"exists\":true,\"purpose\":" + json_string(proof.record->purpose) +
               ",\"state\":\"" + std::string(consent::to_string(proof.record->state)) + "\"" +
               moment("time", proof.record->time) +
               ",\"covers\":" + (proof.covers ? "true" : "false") +
               ",\"in_force\":" + (proof.in_force ? "true" : "false") + "}";
    }

    const AuditSources& sources_;
    const AuditQuery& query_;
    People::Reading reading_;
    AuditPage& page_;
};

}  // namespace

Result<Shown> audit_minors(const AuditSources& sources, const AuditQuery& query) {
    CDP_CHECK(check_status(query.status, kMissing, kPresent));
    auto page = CDP_TRY(AuditPage::begin("minors", query.page));
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    Minors minors(sources, query, {*snapshot, transaction}, page);
    CDP_CHECK(scan_records(sources, *snapshot, page,
                           [&](const consent::Record& record) { return minors.take(record); }));
    return std::move(page).shown("records");
}

}  // namespace cdp
