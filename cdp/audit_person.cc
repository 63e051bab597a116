#include "cdp/audit_person.h"

#include "cdp/base/bytes.h"
#include "cdp/consent_json.h"
#include "cdp/named.h"
#include "cdp/refuse.h"

namespace cdp {

Error subject_required(const char* name) {
    return refuse("subject_required", "Say about whom, like email:a@shop.example.",
                  std::string("/") + name);
}

Result<AuditedPerson> audited_person(const AuditSources& sources, People::Reading reading,
                                     const std::optional<AuditSubject>& subject, const char* name) {
    const auto pointer = std::string("/") + name;
    if (!subject) return subject_required(name);
    const auto token = sources.people.resolve(reading, subject->type, subject->value);
    if (!token) return at(pointer, token.error());
    const auto node = sources.people.find(reading, *token);
    if (!node) return node.error();
    auto members = CDP_TRY(sources.graph.members(reading.transaction, node->anchor));
    return AuditedPerson{.asked = *token, .id = node->person(), .members = std::move(members)};
}

Result<std::string> person_members(const AuditSources& sources, People::Reading reading,
                                   const AuditedPerson& person) {
    const StoredNames names(sources.vault, reading.snapshot);
    return "\"person\":\"" + to_hex(person.id.view()) + "\",\"subject\":{" +
           CDP_TRY(names.name_of(person.asked)) + "}";
}

}  // namespace cdp
