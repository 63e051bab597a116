#include "consent/reason.h"

#include <utility>

#include "consent/names.h"

namespace consent {
namespace {

using namespace std::string_view_literals;

constexpr Names kReasons{std::pair{Reason::never_asked, "never_asked"sv},
                         std::pair{Reason::denied, "denied"sv},
                         std::pair{Reason::withdrawn, "withdrawn"sv},
                         std::pair{Reason::objected, "objected"sv},
                         std::pair{Reason::restricted, "restricted"sv},
                         std::pair{Reason::suppressed, "suppressed"sv},
                         std::pair{Reason::expired, "expired"sv},
                         std::pair{Reason::pending_doi, "pending_doi"sv},
                         std::pair{Reason::guardian_missing, "guardian_missing"sv},
                         std::pair{Reason::reconfirm_overdue, "reconfirm_overdue"sv},
                         std::pair{Reason::invalidated, "invalidated"sv},
                         std::pair{Reason::quarantined, "quarantined"sv},
                         std::pair{Reason::captured_under_denial, "captured_under_denial"sv},
                         std::pair{Reason::quiet_hours, "quiet_hours"sv},
                         std::pair{Reason::purpose_unknown, "purpose_unknown"sv},
                         std::pair{Reason::channel_unknown, "channel_unknown"sv},
                         std::pair{Reason::purpose_not_registered, "purpose_not_registered"sv},
                         std::pair{Reason::message_class_differs, "message_class_differs"sv},
                         std::pair{Reason::identifier_unknown, "identifier_unknown"sv},
                         std::pair{Reason::unmapped, "unmapped"sv},
                         std::pair{Reason::label_not_allowed, "label_not_allowed"sv},
                         std::pair{Reason::not_collected_for, "not_collected_for"sv},
                         std::pair{Reason::not_hashable, "not_hashable"sv},
                         std::pair{Reason::unparsable, "unparsable"sv},
                         std::pair{Reason::granted, "granted"sv},
                         std::pair{Reason::not_objected, "not_objected"sv},
                         std::pair{Reason::contract, "contract"sv},
                         std::pair{Reason::legal_obligation, "legal_obligation"sv}};
constexpr Names kOutcomes{std::pair{Outcome::deny, "deny"sv}, std::pair{Outcome::allow, "allow"sv},
                          std::pair{Outcome::defer_until, "defer_until"sv}};
constexpr Names kObligationNames{
    std::pair{Obligation::reconfirm_due, "reconfirm_due"sv},
    std::pair{Obligation::label_advertisement, "label_advertisement"sv},
    std::pair{Obligation::no_proof, "no_proof"sv}};

}  // namespace

std::string_view to_string(Reason value) {
    return kReasons.name(value);
}
std::optional<Reason> parse_reason(std::string_view name) {
    return kReasons.value(name);
}
std::string_view to_string(Outcome value) {
    return kOutcomes.name(value);
}
std::string_view to_string(Obligation value) {
    return kObligationNames.name(value);
}

}  // namespace consent
