#include "cdp/decision_answer.h"

#include <chrono>
#include <utility>

#include "cdp/released_list.h"
#include "consent/json_string.h"

namespace cdp {
namespace {

using consent::Decision;
using consent::json_string;
using consent::Literal;
using consent::Obligation;
using consent::Outcome;
using consent::Reason;
using consent::ReleasedBody;

// Words that may stand in a channel's body, for they stand here.
Literal literal(Outcome outcome) {
    switch (outcome) {
        case Outcome::allow: return "\"allow\"";
        case Outcome::deny: return "\"deny\"";
        case Outcome::defer_until: return "\"defer_until\"";
    }
    return "\"deny\"";
}

Literal literal(Obligation obligation) {
    switch (obligation) {
        case Obligation::reconfirm_due: return "\"reconfirm_due\"";
        case Obligation::label_advertisement: return "\"label_advertisement\"";
        case Obligation::no_proof: return "\"no_proof\"";
    }
    return "\"no_proof\"";
}

Literal literal(Reason reason) {
    switch (reason) {
        case Reason::never_asked: return "\"never_asked\"";
        case Reason::denied: return "\"denied\"";
        case Reason::withdrawn: return "\"withdrawn\"";
        case Reason::objected: return "\"objected\"";
        case Reason::restricted: return "\"restricted\"";
        case Reason::expired: return "\"expired\"";
        case Reason::pending_doi: return "\"pending_doi\"";
        case Reason::guardian_missing: return "\"guardian_missing\"";
        case Reason::reconfirm_overdue: return "\"reconfirm_overdue\"";
        case Reason::invalidated: return "\"invalidated\"";
        case Reason::suppressed: return "\"suppressed\"";
        case Reason::quarantined: return "\"quarantined\"";
        case Reason::captured_under_denial: return "\"captured_under_denial\"";
        case Reason::quiet_hours: return "\"quiet_hours\"";
        case Reason::purpose_unknown: return "\"purpose_unknown\"";
        case Reason::channel_unknown: return "\"channel_unknown\"";
        case Reason::purpose_not_registered: return "\"purpose_not_registered\"";
        case Reason::message_class_differs: return "\"message_class_differs\"";
        case Reason::identifier_unknown: return "\"identifier_unknown\"";
        case Reason::unmapped: return "\"unmapped\"";
        case Reason::label_not_allowed: return "\"label_not_allowed\"";
        case Reason::not_collected_for: return "\"not_collected_for\"";
        case Reason::not_hashable: return "\"not_hashable\"";
        case Reason::unparsable: return "\"unparsable\"";
        case Reason::granted: return "\"granted\"";
        case Reason::not_objected: return "\"not_objected\"";
        case Reason::contract: return "\"contract\"";
        case Reason::legal_obligation: return "\"legal_obligation\"";
    }
    return "\"denied\"";
}

// Whole seconds until time alone may change the answer.
std::optional<std::int64_t> valid_for(const DecisionTold& told) {
    if (!told.changes_at) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::seconds>(*told.changes_at - told.asked_at)
        .count();
}

void write(ReleasedBody& body, const Decision& decision) {
    body.text("\"outcome\":").text(literal(decision.outcome()));
    body.text(",\"reason\":").text(literal(decision.reason));
    if (decision.defer_until) body.text(",\"defer_until\":").time(*decision.defer_until);
    if (decision.obligations.empty()) return;
    body.text(",\"obligations\":[");
    Separator comma;
    for (const auto one : consent::kObligations) {
        if (!decision.obligations.has(one)) continue;
        comma.write(body);
        body.text(literal(one));
    }
    body.text("]");
}

void write(ReleasedBody& body, const DecisionTold::Subject& subject) {
    body.text("{");
    if (subject.person)
        body.text("\"person\":\"").person(*subject.person, subject.token).text("\",");
    write(body, subject.decision);
    if (!subject.fields.empty()) {
        body.text(",\"field_mask\":[");
        Separator comma;
        for (const auto& field : subject.fields) {
            comma.write(body);
            body.text("{");
            write(body, field);
            body.text("}");
        }
        body.text("]");
    }
    body.text("}");
}

void write(ReleasedBody& body, const DecisionTold& told) {
    body.text("{");
    write(body, told.subjects[told.strictest].decision);
    body.text(",\"identifiers\":[");
    Separator comma;
    for (const auto& subject : told.subjects) {
        comma.write(body);
        write(body, subject);
    }
    body.text("],\"valid_for\":");
    if (const auto seconds = valid_for(told))
        body.number(*seconds);
    else
        body.text("null");
    const auto version = consent::view(told.policy_version);
    body.text(",\"policy_version\":\"");
    body.id(consent::DecisionId::from(version.substr(0, 16)));
    body.id(consent::DecisionId::from(version.substr(16)));
    body.text("\",\"graph_version\":").number(told.graph_version);
    body.text(",\"decision\":\"").id(told.decision).text("\",\"ledger_size\":");
    body.ledger_size(told.ledger_size).text("}");
}

std::string explained(const Decision& decision) {
    std::string out = "\"outcome\":\"" + std::string(to_string(decision.outcome())) +
                      "\",\"reason\":\"" + std::string(to_string(decision.reason)) + "\"" +
                      moment("defer_until", decision.defer_until);
    if (decision.obligations.empty()) return out;
    std::string list;
    for (const auto one : consent::kObligations)
        if (decision.obligations.has(one))
            list += (list.empty() ? "\"" : ",\"") + std::string(to_string(one)) + "\"";
    return out + ",\"obligations\":[" + list + "]";
}

Result<std::string> reasons(const DecisionTold::Subject& subject, const NameOf& name_of) {
    std::string out;
    for (const auto& cause : subject.causes) {
        out += (out.empty() ? "{\"code\":\"" : ",{\"code\":\"") +
               std::string(to_string(cause.reason)) + "\"";
        if (cause.evidence) out += ",\"record\":\"" + to_hex(cause.evidence->view()) + "\"";
        if (cause.identifier)
            out += ",\"identifier\":{" + CDP_TRY(name_of(*cause.identifier)) + "}";
        out += '}';
    }
    return "[" + out + "]";
}

Result<std::string> explained(const DecisionTold::Subject& subject,
                              const DecisionQuestion& question,
                              const DecisionQuestion::Subject& asked, const NameOf& name_of) {
    std::string out =
        "{\"type\":" + json_string(asked.type) + ",\"value\":" + json_string(asked.value);
    if (subject.person) out += ",\"person\":\"" + to_hex(subject.person->view()) + "\"";
    out += "," + explained(subject.decision) + ",\"reasons\":" + CDP_TRY(reasons(subject, name_of));
    out += moment("no_reask_until", subject.no_reask_until);
    std::string mask;
    for (std::size_t i = 0; i < subject.fields.size(); ++i) {
        const bool field = i < question.fields.size();
        const auto& name = field ? question.fields[i] : question.labels[i - question.fields.size()];
        mask += (mask.empty() ? "{" : ",{") + std::string(field ? "\"field\":" : "\"label\":") +
                json_string(name) + "," + explained(subject.fields[i]) + "}";
    }
    if (!mask.empty()) out += ",\"field_mask\":[" + mask + "]";
    return out + "}";
}

}  // namespace

consent::Composed compose_released(const DecisionTold& told) {
    ReleasedBody body;
    write(body, told);
    return std::move(body).finish();
}

Result<std::string> compose_explained(const std::vector<DecisionTold>& all,
                                      const std::vector<DecisionQuestion>& questions,
                                      const NameOf& name_of) {
    std::string out = "{\"answers\":[";
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto& told = all[i];
        out += (i > 0 ? ",{" : "{") + explained(told.subjects[told.strictest].decision) +
               ",\"identifiers\":[";
        for (std::size_t s = 0; s < told.subjects.size(); ++s)
            out += (s > 0 ? "," : "") + CDP_TRY(explained(told.subjects[s], questions[i],
                                                          questions[i].identifiers[s], name_of));
        const auto seconds = valid_for(told);
        out += "],\"valid_for\":" + (seconds ? std::to_string(*seconds) : "null") +
               ",\"policy_version\":\"" + to_hex(consent::view(told.policy_version)) +
               "\",\"graph_version\":" + std::to_string(told.graph_version) + ",\"decision\":\"" +
               to_hex(told.decision.view()) +
               "\",\"ledger_size\":" + std::to_string(told.ledger_size) + "}";
    }
    return out + "]}";
}

}  // namespace cdp
