#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/queries.h"
#include "consent/consents.h"
#include "identity/graph.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

// What an operator's assertion split apart goes on refusing together until an officer releases it:
// a split must not open what a refusal of the other half had closed. Splits that the fold makes by
// itself are none of this. Safe to use from many threads; everything it refers to must outlive it.
class Quarantines {
public:
    struct Needs {
        storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const consent::Consents& consents;
        const Clock& clock;
    };
    explicit Quarantines(Needs needs);

    // Quarantines what the transaction, made on `snapshot`, splits because of an assertion that
    // stands: in the same commit, so that no reader finds the one without the other. `folded`: the
    // identifiers whose persons it may have changed.
    Result<void> note(const storage::Snapshot& snapshot, storage::Transaction& transaction,
                      std::span<const Token> folded, const identity::Cause& cause) const;

    // Forgets the quarantines of assertions that are revoked, as far as no other one that stands
    // may be what keeps those apart whom they split. After a revocation is drawn.
    Result<void> end_revoked() const;

    // Ends the quarantine that an assertion caused, and answers it as JSON. On disk and in the
    // ledger when it returns; waits for the disk. Errors: assertion_unknown, quarantine_unknown
    // (not_found), already_released (conflict), reason_required, malformed_reason.
    Result<std::string> release(std::string_view assertion, const std::string& author,
                                const std::string& reason) const;

    // {"quarantines":[…],"next":CURSOR|null}, newest assertion first. `status`: open, released;
    // empty: both.
    Result<std::string> page(const PageQuery& query, std::string_view status) const;

    // What an officer said when ending one.
    struct Released {
        std::string author;
        std::string reason;
        Timestamp time{};
        consent::Sha256 salt = {};  // of its entry in the ledger
    };
    struct Quarantine {
        identity::AssertionId assertion;
        Timestamp since{};
        std::uint32_t persons = 0;      // that were split
        std::uint32_t identifiers = 0;  // of these persons
        std::uint32_t refusing = 0;     // of them, under which somebody refused
        std::optional<Released> released = {};
    };
    // nullopt: it caused none.
    Result<std::optional<Quarantine>> find(storage::Transaction& transaction,
                                           const identity::AssertionId& assertion) const;

private:
    Result<std::vector<Token>> members_before(const storage::Snapshot& snapshot,
                                              const Token& anchor) const;
    Result<bool> is_split(storage::Transaction& transaction, std::span<const Token> members) const;
    Result<std::vector<Token>> refusing(const storage::Snapshot& snapshot,
                                        storage::Transaction& transaction,
                                        std::span<const Token> members) const;
    Result<bool> is_kept_apart(const storage::Snapshot& snapshot, storage::Transaction& transaction,
                               const identity::AssertionId& split) const;
    Result<void> add(storage::Transaction& transaction, const Quarantine& more) const;
    Result<Quarantine> open(std::string_view key, std::string_view sealed) const;
    void write(storage::Transaction& transaction, const Quarantine& quarantine) const;
    Result<std::string> json(storage::Transaction& transaction, const Quarantine& quarantine) const;

    Needs needs_;
    storage::SubjectKey key_;
    identity::Assertions assertions_;
};

// What the ledger's entry of each release commits to; nullopt: the row cannot be read. False stops.
Result<void> each_release_commitment(
    const storage::Snapshot& snapshot, const storage::Vault& vault,
    const std::function<bool(const identity::AssertionId&, const std::optional<consent::Sha256>&)>&
        visit);

}  // namespace cdp
