#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "cdp/answer.h"
#include "cdp/audit_answers.h"
#include "cdp/audit_mask.h"
#include "cdp/audit_person.h"
#include "cdp/consent_json.h"
#include "cdp/disclosures.h"
#include "cdp/json_text.h"
#include "cdp/known_then.h"
#include "consent/json_string.h"

namespace cdp {
namespace {

using consent::DecisionId;
using consent::json_string;

constexpr std::size_t kLookedAtMax = 20'000;  // rows
constexpr std::size_t kToldMax = 1'000;       // of them
constexpr std::uint64_t kLedgerSizesMax = 20'000;
constexpr std::chrono::milliseconds kListedWithin{1'000};  // after it was decided
constexpr std::size_t kQuestionsTried = 200'000;

Error decision_unknown() {
    return {.code = ErrorCode::not_found,
            .reason = "decision_unknown",
            .message = "Nothing that left about this person rests on such a decision.",
            .pointer = "/id"};
}

// The rows of one decision, newest first.
struct Found {
    std::vector<Disclosed> rows = {};
    bool complete = true;
};

Result<Found> rows_of(Disclosures& disclosures, const std::vector<Token>& members,
                      const DecisionId& id) {
    Found found;
    std::size_t looked_at = 0;
    const auto take = [&](const DisclosedPlace&, std::optional<Disclosed> told) -> Result<bool> {
        found.complete = looked_at++ < kLookedAtMax && found.rows.size() < kToldMax;
        if (!found.complete) return false;
        if (told && told->row.decision == id && told->batch.kind == consent::BatchKind::release)
            found.rows.push_back(*std::move(told));
        return true;
    };
    CDP_CHECK(disclosures.each_of(members, std::nullopt, take));
    return found;
}

std::string row_json(const Disclosed& told, const std::string& identifier) {
    const auto& batch = told.batch;
    JsonList records;
    for (const auto& id : told.evidence) records.add(hex_json(id.view()));
    return "{\"identifier\":{" + identifier + "},\"channel\":" + json_string(batch.channel) +
           ",\"recipient\":" + json_string(batch.recipient) +
           ",\"country\":" + json_string(batch.country) +
           ",\"reader\":" + json_string(batch.reader) +
           ",\"purpose\":" + json_string(batch.purpose) +
           ",\"first\":" + time_json(told.row.first) + ",\"last\":" + time_json(told.row.last) +
           ",\"times\":" + std::to_string(told.row.count) +
           ",\"batch\":" + std::to_string(batch.number) + ",\"row\":" + std::to_string(told.index) +
           ",\"ledger_size\":" + std::to_string(batch.ledger_size) + "," + mask_json(told.mask) +
           ",\"records\":" + records.str() + "}";
}

// How a decision was come to; its id says so when it can be made again.
enum class By { read, google, question };

std::string_view to_string(By by) {
    switch (by) {
        case By::read: return "read";
        case By::google: return "google_consent";
        case By::question: return "question";
    }
    return "read";
}

struct Remade {
    By by = By::read;
    std::string purpose;
    std::optional<std::uint64_t> ledger_size;  // nullopt: the id cannot be made again
};

class Remaker {
public:
    Remaker(const storage::Vault& vault, const Known& known, const Disclosed& row)
        : vault_(vault), known_(known), row_(row) {
        for (const auto& member : known.members)
            if (!member.quarantined_until_released) members_.push_back(member.token);
    }

    Remade remake() const {
        const auto& purpose = row_.batch.purpose;
        if (!purpose.empty()) return {By::read, purpose, ledger_size_of(purpose)};
        if (auto size = ledger_size_of(kGoogleDecision)) return {By::google, "", size};
        return asked();
    }

private:
    // An answer that was kept may be older than the batch it was told in.
    std::optional<std::uint64_t> ledger_size_of(std::string_view purpose) const {
        if (!known_.person) return std::nullopt;
        const auto largest = row_.batch.ledger_size;
        for (std::uint64_t less = 0; less <= std::min(largest, kLedgerSizesMax); ++less)
            if (decision_id(vault_, DecidedFor{*known_.person, members_, row_.batch.channel,
                                               purpose, largest - less}) == row_.row.decision)
                return largest - less;
        return std::nullopt;
    }

    // The purpose and the moment are not in the row, but few are possible.
    Remade asked() const {
        std::size_t tries = 0;
        for (auto ago = std::chrono::milliseconds{0}; ago < kListedWithin; ++ago)
            for (std::uint64_t less = 0; less <= std::min<std::uint64_t>(row_.batch.ledger_size, 3);
                 ++less)
                for (const auto& purpose : known_.policy.policy->purposes) {
                    if (++tries > kQuestionsTried) return {By::question, "", {}};
                    const auto size = row_.batch.ledger_size - less;
                    const DecidedAbout about{.channel = row_.batch.channel,
                                             .purpose = purpose.name,
                                             .ledger_size = size,
                                             .asked_at = row_.row.first - ago,
                                             .identifiers = std::span(&row_.row.subject, 1)};
                    if (decision_id(vault_, about) == row_.row.decision)
                        return {By::question, purpose.name, size};
                }
        return {By::question, "", {}};
    }

    const storage::Vault& vault_;
    const Known& known_;
    const Disclosed& row_;
    std::vector<Token> members_;
};

// Decides again, by what was known then.
class Again {
public:
    Again(const AuditSources& sources, People::Reading reading, const Known& known,
          const Disclosed& row)
        : sources_(sources),
          reading_(reading),
          known_(known),
          row_(row),
          names_(sources.vault, reading.snapshot),
          remade_(Remaker(sources.vault, known, row).remake()) {
        for (auto& member : members_ = known.members) keep_said_by(member, row.row.first);
    }

    Result<std::string> json() {
        std::string out = "{\"as_of\":" + time_json(row_.row.first) + ",\"made_by\":\"" +
                          std::string(to_string(remade_.by)) +
                          "\",\"same\":" + (remade_.ledger_size ? "true" : "false") +
                          ",\"ledger_size\":";
        out += remade_.ledger_size ? std::to_string(*remade_.ledger_size) : "null";
        if (!remade_.ledger_size) out += ",\"why\":" + json_string(why_not());
        out += ",\"person\":";
        out += known_.person ? hex_json(known_.person->view()) : "null";
        out += ",\"policy_version\":" + hex_json(consent::view(known_.policy.version)) +
               ",\"policy_assumed\":" + (known_.policy.assumed ? "true" : "false");
        JsonList decisions;
        for (const auto& purpose : purposes()) decisions.add(CDP_TRY(about(purpose)));
        return out + ",\"decisions\":" + decisions.str() + "}";
    }

    // That the decisions rest on, when `json` was called.
    const std::set<RecordId>& evidence() const { return evidence_; }

private:
    std::vector<std::string> purposes() const {
        if (remade_.by == By::google) {
            std::set<std::string> all;
            for (const auto& signal : sources_.config.google)
                all.insert(signal.begin(), signal.end());
            return {all.begin(), all.end()};
        }
        if (remade_.purpose.empty()) return {};
        return {remade_.purpose};
    }

    std::string why_not() const {
        if (!known_.person) return "Who the person was then is not known any more.";
        if (remade_.by == By::question)
            return "Which questions were asked about which identifiers is not kept; the row says "
                   "what left.";
        return "What is known of that moment today makes another id: persons or the ledger's size "
               "were others.";
    }

    Result<std::string> about(const std::string& purpose) {
        const consent::Judge judge(
            *known_.policy.policy, members_,
            {.purpose = purpose, .channel = row_.batch.channel, .now = row_.row.first});
        JsonList identifiers;
        for (const auto& member : members_)
            if (!member.quarantined_until_released) identifiers.add(CDP_TRY(about(judge, member)));
        return "{\"purpose\":" + json_string(purpose) + ",\"identifiers\":" + identifiers.str() +
               "}";
    }

    // As whoever decided looked at an identifier.
    Result<consent::Datum> datum_of(const consent::Member& member) const {
        consent::Datum datum{
            .home = member.token, .value = member.token, .captured = row_.row.first};
        if (remade_.by == By::question && !member.contact) datum.value.reset();
        if (remade_.by != By::read) return datum;
        const auto node = CDP_TRY(sources_.graph.find(reading_.transaction, member.token));
        if (node) datum.captured = std::min(node->first_seen, row_.row.first);
        return datum;
    }

    Result<std::string> about(const consent::Judge& judge, const consent::Member& member) {
        const auto datum = CDP_TRY(datum_of(member));
        const auto decision = judge.decide(datum);
        JsonList reasons;
        for (const auto& cause : judge.explain(datum)) {
            auto one = "{\"code\":\"" + std::string(to_string(cause.reason)) + "\"";
            if (cause.evidence) {
                evidence_.insert(*cause.evidence);
                one += ",\"record\":" + hex_json(cause.evidence->view());
            }
            if (cause.identifier)
                one += ",\"identifier\":{" + CDP_TRY(names_.name_of(*cause.identifier)) + "}";
            reasons.add(one + "}");
        }
        return "{" + CDP_TRY(names_.name_of(member.token)) + ",\"outcome\":\"" +
               std::string(to_string(decision.outcome())) + "\",\"reason\":\"" +
               std::string(to_string(decision.reason)) + "\",\"record\":" +
               (decision.evidence ? hex_json(decision.evidence->view()) : "null") +
               moment("defer_until", decision.defer_until) + ",\"reasons\":" + reasons.str() + "}";
    }

    const AuditSources& sources_;
    People::Reading reading_;
    const Known& known_;
    const Disclosed& row_;
    const StoredNames names_;
    const Remade remade_;
    std::vector<consent::Member> members_;
    std::set<RecordId> evidence_;
};

// What they said, under each identifier of the person that they name.
Result<std::string> records_json(const StoredNames& names, const Known& known,
                                 const std::set<RecordId>& evidence) {
    JsonList out;
    std::set<RecordId> met;
    for (const auto& member : known.members) {
        std::set<RecordId> told;
        for (const auto& fact : member.facts) {
            if (!evidence.contains(fact.id) || !told.insert(fact.id).second) continue;
            met.insert(fact.id);
            out.add("{\"id\":" + hex_json(fact.id.view()) + ",\"state\":\"" +
                    std::string(to_string(fact.state)) + "\",\"purpose\":" +
                    json_string(fact.purpose) + ",\"time\":" + time_json(fact.time) +
                    ",\"identifier\":{" + CDP_TRY(names.name_of(member.token)) + "}}");
        }
    }
    // Of an address that is not the person's, or erased since.
    for (const auto& id : evidence)
        if (!met.contains(id))
            out.add("{\"id\":" + hex_json(id.view()) +
                    ",\"state\":null,\"purpose\":null,\"time\":null,\"identifier\":null}");
    return out.str();
}

}  // namespace

Result<Shown> audit_decision(const AuditSources& sources, const AuditQuery& query) {
    const auto bytes = from_hex(query.id);
    if (!bytes || bytes->size() != DecisionId{}.bytes.size()) return decision_unknown();
    const auto id = DecisionId::from(*bytes);
    CDP_CHECK(sources.disclosures.drain());
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    const auto person = CDP_TRY(audited_person(sources, reading, query.subject));
    const auto found = CDP_TRY(rows_of(sources.disclosures, person.members, id));
    if (found.rows.empty() && !found.complete)
        return Error{.code = ErrorCode::unavailable,
                     .reason = "history_too_long",
                     .message =
                         "More was told about this person than one answer looks at, and "
                         "the newest of it does not rest on such a decision."};
    if (found.rows.empty()) return decision_unknown();
    const auto first = std::ranges::min_element(
        found.rows, {}, [](const Disclosed& told) { return told.row.first; });
    // Of whom it was: whoever is asked by may have been somebody else then.
    const auto known = CDP_TRY(known_then({sources.graph, sources.people, sources.policies},
                                          reading, first->row.subject, first->row.first));
    const StoredNames names(sources.vault, *snapshot);
    JsonList rows;
    std::set<RecordId> evidence;
    for (const auto& told : found.rows) {
        rows.add(row_json(told, CDP_TRY(names.name_of(told.row.subject))));
        evidence.insert(told.evidence.begin(), told.evidence.end());
    }
    Again again(sources, reading, known, *first);
    const auto decided = CDP_TRY(again.json());
    evidence.insert(again.evidence().begin(), again.evidence().end());
    return Shown("{\"decision\":" + hex_json(id.view()) + "," +
                     CDP_TRY(person_members(sources, reading, person)) + ",\"rows\":" + rows.str() +
                     ",\"complete\":" + (found.complete ? "true" : "false") + ",\"records\":" +
                     CDP_TRY(records_json(names, known, evidence)) + ",\"again\":" + decided + "}",
                 person.looked());
}

}  // namespace cdp
