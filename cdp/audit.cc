#include "cdp/audit.h"

#include "cdp/audit_answers.h"
#include "cdp/refuse.h"

namespace cdp {

std::span<const AuditQuestion> audit_questions() {
    static const std::vector<AuditQuestion> kAll{
        {.number = "1",
         .path = "disclosures",
         .verb = "disclosures",
         .asks = "Who received this field of a person, since when, for what and in which form?",
         .parameters = {"subject", "field", "since", "until", "purpose", "channel", "limit",
                        "cursor"},
         .since_withdrawal = true,
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
        {.number = "5",
         .path = "decisions/{id}",
         .verb = "decision",
         .asks = "Why did this person's data leave, or stay, under that decision, and is it "
                 "decided the same again from what was known then?",
         .parameters = {"subject"},
         .answer = audit_decision},
        {.number = "6",
         .path = "notices/{id}/grants",
         .verb = "notice",
         .asks = "Whose grant rests on this version of a notice, and which purposes does "
                 "another version widen?",
         .parameters = {"version", "against", "status", "limit", "cursor"},
         .answer = audit_grants},
        {.number = "7",
         .path = "merges",
         .verb = "merge",
         .asks = "Which decisions differ between these two as one person and apart: what would "
                 "unmerging restore, or merging change?",
         .parameters = {"a", "b", "purpose", "channel", "limit", "cursor"},
         .answer = audit_merges},
        {.number = "8",
         .path = "gpc",
         .verb = "gpc",
         .asks = "Is a person opted out by Global Privacy Control on a device, since when, and "
                 "what else does it refuse?",
         .parameters = {"subject"},
         .answer = audit_gpc},
        {.number = "9",
         .path = "withdrawals",
         .verb = "withdrawals",
         .asks = "Of which withdrawals has a recipient not taken note yet, how old are they and "
                 "what is the deadline?",
         .parameters = {"status", "channel", "limit", "cursor"},
         .answer = audit_withdrawals},
        {.number = "10",
         .path = "night",
         .verb = "night",
         .asks = "What left in quiet hours to a channel that they concern, and which night "
                 "consent is behind it?",
         .parameters = {"since", "until", "channel", "limit", "cursor"},
         .answer = audit_night},
        {.number = "13",
         .path = "purpose-limitation",
         .verb = "purpose-limitation",
         .asks = "Which fields that were collected for a purpose did a channel read for another?",
         .parameters = {"collected_for", "channel", "since", "until", "limit", "cursor"},
         .answer = audit_purpose_limitation},
        {.number = "14",
         .path = "minors",
         .verb = "minors",
         .asks = "Which answers of minors lack proof of their guardian, who recorded them and "
                 "how was the guardian verified?",
         .parameters = {"status", "limit", "cursor"},
         .answer = audit_minors},
        {.number = "18",
         .path = "unmapped",
         .verb = "unmapped",
         .asks = "Which names of stored data does the policy say nothing about, and since when?",
         .parameters = {"limit", "cursor"},
         .answer = audit_unmapped},
        {.number = "19",
         .path = "signals",
         .verb = "signals",
         .asks = "Which consent signal was in force at each disclosure of a person, and what "
                 "did it say?",
         .parameters = {"subject", "signal", "since", "until", "limit", "cursor"},
         .answer = audit_signals},
        {.number = "20",
         .path = "conflicts",
         .verb = "conflicts",
         .asks = "Of whom does one standing answer allow what another refuses, and which rule "
                 "decided?",
         .parameters = {"purpose", "limit", "cursor"},
         .answer = audit_conflicts},
        {.number = "22",
         .path = "processing",
         .verb = "processing",
         .asks = "What is processed for which purpose, and who receives it (GDPR Art. 30)?",
         .parameters = {"as_of"},
         .answer = audit_processing},
        {.number = "23",
         .path = "records",
         .verb = "records",
         .asks = "Which consents did others than the person record, who, and with what evidence?",
         .parameters = {"actor", "status", "limit", "cursor"},
         .answer = audit_records},
        {.number = "15",
         .path = "access",
         .verb = "access",
         .asks = "Who of those who run the platform looked at a person, when and why?",
         .parameters = {"subject", "since", "until", "limit", "cursor"},
         .answer = audit_access},
        {.number = "16",
         .path = "erasures",
         .verb = "erasures",
         .asks = "Was somebody erased, when, what remains and on what basis?",
         .parameters = {"subject", "limit", "cursor"},
         .answer = audit_erasures},
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

Result<Shown> answer_question(const AuditSources& sources, const AuditQuestion& question,
                              const AuditQuery& query) {
    if (query.since && query.until && *query.since >= *query.until)
        return refuse("empty_period", "The period ends before it begins.", "/until");
    return question.answer(sources, query);
}

}  // namespace cdp
