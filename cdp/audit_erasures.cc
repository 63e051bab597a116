#include "cdp/audit_answers.h"
#include "cdp/audit_person.h"
#include "cdp/audit_proofs.h"
#include "cdp/erasures.h"
#include "cdp/people.h"
#include "cdp/refuse.h"

namespace cdp {

// Nobody is known by what was erased, so nothing here may ask for a person.
Result<Shown> audit_erasures(const AuditSources& sources, const AuditQuery& query) {
    if (!query.subject) return subject_required();
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto token = CDP_TRY(sources.people.resolve({*snapshot, transaction}, query.subject->type,
                                                      query.subject->value));
    const auto erasure = CDP_TRY(sources.erasures.of(transaction, token));
    const auto node = CDP_TRY(sources.graph.find(transaction, token));
    std::string out = "{\"erasure\":";
    if (erasure) {
        std::string proof = "null";
        const auto bytes = encode_outcome(*erasure);
        if (erasure->state == Erasure::State::completed)
            proof =
                CDP_TRY(AuditProofs(sources).of(consent::EntryType::erasure, erasure->salt, bytes));
        // Proving may have published it.
        out += CDP_TRY(sources.erasures.json(*sources.store.snapshot(), *erasure)) +
               ",\"proof\":" + proof;
    } else {
        out += "null";
    }
    // Who came back since, or was never erased.
    out += std::string(",\"held\":") + (node ? "true" : "false");
    if (node) out += ",\"since\":\"" + format_time(node->first_seen) + '"';
    return Shown(out + "}", {.identifiers = {token}, .persons = {}});
}

}  // namespace cdp
