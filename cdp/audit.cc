#include "cdp/audit.h"

#include "cdp/audit_answers.h"

namespace cdp {

std::span<const AuditQuestion> audit_questions() {
    static const std::vector<AuditQuestion> kAll{
        {.number = "1",
         .path = "disclosures",
         .verb = "disclosures",
         .asks = "Who received this field of a person, since when, for what and in which form?",
         .parameters = {"subject", "field", "since", "until", "purpose", "channel", "limit",
                        "cursor"},
         .answer = audit_disclosures},
        {.number = "2",
         .path = "consent",
         .verb = "consent",
         .asks = "What did we believe about a person's consent at a time, by what we knew then and "
                 "by what we know now?",
         .parameters = {"subject", "as_of", "known_at", "purpose", "channel"},
         .answer = audit_consent},
        {.number = "3, 4",
         .path = "records/{id}",
         .verb = "record",
         .asks = "What did this person answer, to which notice, and what proves it?",
         .parameters = {"subject"},
         .answer = audit_record},
        {.number = "15",
         .path = "access",
         .verb = "access",
         .asks = "Who of those who run the platform looked at a person, when and why?",
         .parameters = {"subject", "since", "until", "limit", "cursor"},
         .answer = audit_access},
        {.number = "17",
         .path = "withheld",
         .verb = "withheld",
         .asks = "What of a person was kept back from whom, and why?",
         .parameters = {"subject", "since", "until", "channel", "limit", "cursor"},
         .answer = audit_withheld},
        {.number = "25",
         .path = "recipients",
         .verb = "recipients",
         .asks = "Whom must we tell that a person withdrew, or asked to be erased?",
         .parameters = {"subject", "since", "until", "cursor"},
         .answer = audit_recipients},
    };
    return kAll;
}

}  // namespace cdp
