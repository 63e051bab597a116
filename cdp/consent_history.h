#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/consent_json.h"
#include "cdp/known_then.h"
#include "cdp/people.h"
#include "cdp/policy_versions.h"
#include "cdp/queries.h"
#include "cdp/shown.h"

namespace cdp {

// What held at a moment, by what was known at another.
struct BeliefQuery {
    NamedIdentifier subject = {};
    Timestamp as_of{};
    std::optional<Timestamp> known_at = {};  // absent: as_of
    std::string purpose = {};                // empty: all
    std::string channel = {};                // empty: all that are registered for the purpose
};

// What somebody said about consent, and what followed from it, for officers: nothing here passes
// the gate. Reads a bounded number of rows. Safe to use from many threads; everything it refers to
// must outlive it.
class ConsentHistory {
public:
    struct Needs {
        const storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const People& people;
        const Clock& clock;
        const PolicyVersions& policies;
    };
    explicit ConsentHistory(Needs needs) : needs_(needs) {}

    // {"person":…,"records":[…],"next":CURSOR|null}: records and the stamps of SDKs, newest first,
    // each with its commitment and its index in the ledger, null as long as it is not published.
    // Errors as of People::load; malformed_cursor; history_too_long.
    Result<Shown> page(const NamedIdentifier& subject, const PageQuery& query) const;

    // {"subject":…,"as_of":…,"known_at":…,"then":{…},"now":{…}}: what was to be decided at `as_of`
    // by what was known at `known_at` - facts received, persons, policy - and by what is known
    // now. Errors: in_the_future, purpose_unknown, channel_unknown, person_unknown.
    Result<Shown> beliefs(const BeliefQuery& query) const;

private:
    struct Said;

    Result<std::vector<Said>> said_under(const storage::Snapshot& snapshot,
                                         const std::vector<Token>& members) const;
    Result<std::string> said_json(const storage::Snapshot& snapshot, const Said& said) const;
    Result<Known> known_now(People::Reading reading, const Token& token) const;
    Result<std::string> belief(const storage::Snapshot& snapshot, const Known& known,
                               const BeliefQuery& query) const;

    Needs needs_;
};

}  // namespace cdp
