#pragma once

#include <string>
#include <vector>

#include "cdp/audit.h"
#include "cdp/people.h"

// Who is asked about.
namespace cdp {

// The person of an identifier, as far as an audit must know: also one that is nobody's any more.
struct AuditedPerson {
    Token asked{};
    PersonId id{};
    std::vector<Token> members = {};  // sorted; `asked` among them

    Looked looked() const { return {.identifiers = {asked}, .persons = {id}}; }
};

// Nobody was named where somebody must be; the pointer is /NAME.
Error subject_required(const char* name = "subject");

// subject_required (its pointer is /NAME), malformed_identifier, person_unknown.
Result<AuditedPerson> audited_person(const AuditSources& sources, People::Reading reading,
                                     const std::optional<AuditSubject>& subject,
                                     const char* name = "subject");

// "person":"…","subject":{"type":…,"value":…}
Result<std::string> person_members(const AuditSources& sources, People::Reading reading,
                                   const AuditedPerson& person);

}  // namespace cdp
