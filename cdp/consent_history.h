#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/committed.h"
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
    // now. "proofs":[…],"proofs_left_out":N are the newest kProofsMax of the records that this
    // rests on, in full and with what `prove` makes of each. Errors: in_the_future,
    // purpose_unknown, channel_unknown, person_unknown; those of `prove`.
    using Prove = std::function<Result<std::string>(const Committed& said)>;
    static constexpr std::size_t kProofsMax = 100;
    Result<Shown> beliefs(const BeliefQuery& query, const Prove& prove) const;

private:
    Result<std::string> proofs(const storage::Snapshot& snapshot, std::span<const Known> known,
                               const Prove& prove) const;
    Result<Known> known_now(People::Reading reading, const Token& token) const;
    Result<std::string> belief(const storage::Snapshot& snapshot, const Known& known,
                               const BeliefQuery& query) const;

    Needs needs_;
};

// Members of an object: everything of a record or a stamp, its commitment and its index in the
// ledger, null as long as it is not published.
Result<std::string> said_members(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                 const Committed& said);
Result<std::string> said_members(const storage::Snapshot& snapshot, const Committed& said,
                                 const NameOf& name_of);
// Of these the last: where a commitment is in the ledger.
Result<std::string> ledger_member(const storage::Snapshot& snapshot,
                                  const consent::Sha256& commitment);

}  // namespace cdp
