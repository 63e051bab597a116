#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/config.h"
#include "cdp/queries.h"
#include "cdp/shown.h"
#include "consent/consents.h"
#include "identity/graph.h"
#include "storage/store.h"
#include "storage/vault.h"

// What privacy officers ask, and what is answered from the facts alone; docs/decisions/0020.
namespace consent {
class Ledger;
}

namespace cdp {

class ConsentHistory;
class Disclosures;
class Erasures;
class Notices;
class People;
class PolicyVersions;
class Withdrawals;

// An identifier, as it is asked about.
struct AuditSubject {
    std::string type = {};
    std::string value = {};
};

// As asked. A question reads the members that it names as its parameters, and no others.
struct AuditQuery {
    std::string id = {};  // in the path: of a record, a decision or a notice
    std::optional<AuditSubject> subject = {};
    std::optional<AuditSubject> a = {};
    std::optional<AuditSubject> b = {};
    std::string field = {};  // a trait, an identifier's type or a label
    std::string purpose = {};
    std::string channel = {};
    std::string version = {};  // of a notice
    std::string against = {};  // another one
    std::string collected_for = {};
    std::string actor = {};
    std::string status = {};
    std::string signal = {};
    std::string days = {};  // a number
    std::optional<Timestamp> as_of = {};
    std::optional<Timestamp> known_at = {};
    std::optional<Timestamp> since = {};
    bool since_withdrawal = false;  // instead of a time
    std::optional<Timestamp> until = {};
    PageQuery page = {};  // `limit`, `cursor`
};

// What answers are made from. Everything must outlive whoever holds it.
struct AuditSources {
    const storage::Store& store;
    const storage::Vault& vault;
    const identity::Graph& graph;
    const consent::Consents& consents;
    const People& people;
    const ConsentHistory& history;
    const PolicyVersions& policies;
    const Notices& notices;
    consent::Ledger& ledger;  // published when a proof needs it
    Disclosures& disclosures;
    const Config& config;
    const Clock& clock;
    const Withdrawals& withdrawals;
    const Erasures& erasures;
};

// One question.
struct AuditQuestion {
    std::string_view number;                        // in 0020's table
    std::string_view path;                          // below /v1/audit/; may hold `{id}`
    std::string_view verb;                          // of `cdp audit`
    std::string_view asks;                          // a sentence
    std::vector<std::string_view> parameters = {};  // of the query, beside `reason`
    bool since_withdrawal = false;                  // `since` may be `withdrawal`
    // A JSON document. Errors: invalid_argument, the pointer being a parameter's name; not_found.
    Result<Shown> (*answer)(const AuditSources&, const AuditQuery&) = nullptr;
};

// As `question.answer` says, and empty_period: `until` is not after `since`.
Result<Shown> answer_question(const AuditSources& sources, const AuditQuestion& question,
                              const AuditQuery& query);

// All there are, in 0020's order. A new one needs nothing but its row: routes, verbs and the
// document of the API are held to this table.
std::span<const AuditQuestion> audit_questions();

}  // namespace cdp
