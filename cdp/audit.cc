#include "cdp/audit.h"

#include "cdp/audit_answers.h"

namespace cdp {

std::span<const AuditQuestion> audit_questions() {
    static const std::vector<AuditQuestion> kAll{
        {.number = "2",
         .path = "consent",
         .verb = "consent",
         .asks = "What did we believe about a person's consent at a time, by what we knew then and "
                 "by what we know now?",
         .parameters = {"subject", "as_of", "known_at", "purpose", "channel"},
         .answer = audit_consent},
    };
    return kAll;
}

}  // namespace cdp
