#include <algorithm>
#include <set>

#include "cdp/audit_answers.h"
#include "cdp/audit_person.h"
#include "cdp/audit_proofs.h"
#include "cdp/base/bytes.h"
#include "cdp/consent_history.h"
#include "cdp/notices.h"
#include "cdp/refuse.h"
#include "consent/json_writer.h"

namespace cdp {
namespace {

Error consent_unknown() {
    return {.code = ErrorCode::not_found,
            .reason = "consent_unknown",
            .message = "Nothing with that id was answered by this person."};
}

// Whatever holds for a person was said under one of these.
Result<std::vector<Token>> said_under(const AuditSources& sources, People::Reading reading,
                                      const AuditedPerson& person) {
    const auto loaded = CDP_TRY(sources.people.load(reading, person.asked));
    std::vector<Token> out{person.asked};
    for (const auto& member : loaded.consents) out.push_back(member.token);
    return out;
}

// The text that was posted of the version that the record names: that which was shown, else one
// that it cannot have been.
Result<std::optional<NoticeVersion>> posted_notice(const AuditSources& sources,
                                                   storage::Transaction& transaction,
                                                   const consent::Notice& notice) {
    auto shown = CDP_TRY(sources.notices.shown(transaction, notice));
    if (shown || notice.id.empty() || notice.version.empty()) return shown;
    auto posted = CDP_TRY(sources.notices.versions(transaction, notice.id, notice.version));
    if (posted.empty()) return shown;
    const auto same = std::ranges::find(posted, notice.language, &NoticeVersion::language);
    return std::optional(same == posted.end() ? posted.front() : *same);
}

Result<std::string> notice_json(const AuditSources& sources, storage::Transaction& transaction,
                                const consent::Record& record) {
    const auto posted = CDP_TRY(posted_notice(sources, transaction, record.notice));
    if (!posted) return std::string("null");
    const auto hash = to_hex(consent::view(posted->hash));
    consent::JsonWriter out;
    out.open().text("id", posted->id).text("version", posted->version);
    out.text("language", posted->language).texts("purposes", posted->purposes);
    out.text_if("text", posted->text).text_if("url", posted->url).text("hash", hash);
    if (record.notice.hash.empty())
        out.json("has_the_records_hash", "null");
    else
        out.flag("has_the_records_hash", record.notice.hash == hash);
    return out.text("posted", format_time(posted->posted)).close().take();
}

Result<RecordId> read_id(const std::string& text) {
    const auto bytes = from_hex(text);
    if (bytes && bytes->size() == sizeof(RecordId::bytes)) return RecordId::from(*bytes);
    return refuse("malformed_record_id", "The id of a record has 32 hexadecimal digits.", "/id");
}

}  // namespace

Result<Shown> audit_record(const AuditSources& sources, const AuditQuery& query) {
    const auto id = CDP_TRY(read_id(query.id));
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    const auto person = CDP_TRY(audited_person(sources, reading, query.subject));
    std::optional<Committed> said;
    for (const auto& token : CDP_TRY(said_under(sources, reading, person)))
        if (!said) said = CDP_TRY(find_committed(*snapshot, sources.vault, token, id));
    if (!said) return consent_unknown();
    const auto proof = CDP_TRY(AuditProofs(sources).of(*said));
    // Proving may have published it.
    const auto published = sources.store.snapshot();
    std::string body = "{" + CDP_TRY(person_members(sources, reading, person)) + ",\"record\":{" +
                       CDP_TRY(said_members(*published, sources.vault, *said)) +
                       ",\"proof\":" + proof + "},\"notice\":";
    const auto* record = std::get_if<consent::Record>(&said->row);
    body += record ? CDP_TRY(notice_json(sources, transaction, *record)) : "null";
    return Shown(body + "}", person.looked());
}

}  // namespace cdp
