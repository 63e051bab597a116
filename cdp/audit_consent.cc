#include "cdp/audit_answers.h"
#include "cdp/audit_person.h"
#include "cdp/audit_proofs.h"
#include "cdp/consent_history.h"
#include "cdp/refuse.h"

namespace cdp {

Result<Shown> audit_consent(const AuditSources& sources, const AuditQuery& query) {
    if (!query.subject) return subject_required();
    if (!query.as_of)
        return refuse("as_of_required", "Say as of when, an RFC 3339 time.", "/as_of");
    AuditProofs proofs(sources);
    return sources.history.beliefs({.subject = {query.subject->type, query.subject->value},
                                    .as_of = *query.as_of,
                                    .known_at = query.known_at,
                                    .purpose = query.purpose,
                                    .channel = query.channel},
                                   [&](const Committed& said) { return proofs.of(said); });
}

}  // namespace cdp
