#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/config.h"
#include "cdp/disclosures.h"
#include "cdp/people.h"
#include "cdp/queries.h"
#include "cdp/shown.h"
#include "cdp/suppressed_tokens.h"
#include "cdp/suppression_rows.h"
#include "consent/suppression.h"
#include "identity/graph.h"
#include "storage/store.h"
#include "storage/vault.h"

// The list of who is never to be contacted again; docs/decisions/0030.
namespace cdp {

struct NewSuppression {
    std::string type = {};
    std::string value = {};
    consent::SuppressionReason reason = consent::SuppressionReason::other;
    std::optional<consent::SuppressionScope> scope = {};  // absent: as is usual for the reason
    std::string note = {};                                // kept as it is: not the place for names
    std::optional<PrivacyRequestId> request = {};         // that it comes from
};

struct SuppressionMade {
    RecordId id = {};
    consent::SuppressionScope scope = consent::SuppressionScope::person;
    bool made = true;  // false: the same was in force already
};

struct SuppressionsQuery {
    PageQuery page = {};
    std::optional<consent::SuppressionReason> reason = {};
    std::optional<NamedIdentifier> identifier = {};
};

inline constexpr std::size_t kSuppressionsMax = 1'000;  // of one request

// Safe to use from many threads. Everything it refers to must outlive it.
class Suppressions {
public:
    struct Needs {
        storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const SuppressedTokens& suppressed;
        Disclosures& disclosures;
        const Config& config;
        const Clock& clock;
    };
    explicit Suppressions(Needs needs) : needs_(needs) {}

    // In force, on disk and in the ledger when it returns; waits for the disk. Errors: as of
    // read_said, at /identifier/type and /identifier/value; identifier_type_unknown,
    // malformed_note; contended, and those of the store.
    Result<SuppressionMade> suppress(const std::string& author, const NewSuppression& one) const;

    // Many, each by itself: of those that are refused their error. At most kSuppressionsMax. An
    // error of the whole leaves those before it made; sent again, they are in force already.
    using Each = std::vector<Result<SuppressionMade>>;
    Result<Each> suppress(const std::string& author,
                          const std::vector<Result<NewSuppression>>& all) const;

    // The same as part of the caller's transaction, from `now` on.
    Result<SuppressionMade> add(People::Reading reading, const std::string& author,
                                const NewSuppression& one, Timestamp now) const;

    // Ends one, and answers it as JSON. Errors: suppression_unknown (not_found), already_revoked,
    // person_erased (conflict), reason_required, malformed_reason.
    Result<std::string> revoke(std::string_view id, const std::string& author,
                               const std::string& reason) const;

    // {"suppressions":[…],"next":CURSOR|null}, newest first. A page may have fewer, and none, when
    // few have the reason. Errors: malformed_cursor, invalid_limit; of the identifier as of
    // read_asked, at /identifier.
    Result<std::string> page(const Reader& reader, const SuppressionsQuery& query) const;

    // Everything that stands under an identifier, revoked ones too.
    static Result<std::vector<consent::Suppression>> of(storage::Transaction& transaction,
                                                        const Token& token);

    // One that another store knows, done here: for a backup from before it. False: it is known
    // here. Before anything is served.
    Result<bool> replay(const ListedSuppression& told) const;

private:
    Result<Token> read(const NewSuppression& one, std::string& normal) const;
    std::vector<Token> known_as(const NewSuppression& one, const Token& token,
                                const std::string& normal) const;
    // It also stands under what is known by now of whom it names by a hash; what comes later adds
    // itself.
    Result<void> make(People::Reading reading, ListedSuppression one) const;
    Result<void> revoke(People::Reading reading, const ListedSuppression& one) const;
    bool is_hash(const std::string& type) const;
    Result<void> add_plain(storage::Transaction& transaction, ListedSuppression& one) const;
    Result<std::string> json(const storage::Snapshot& snapshot, const ListedSuppression& one,
                             Looked& whom) const;

    Needs needs_;
};

// Which suppressions stand under these identifiers of one person, each once, and whether one of
// them was one of the whole person, in force at that moment.
struct SuppressionsKept {
    std::uint64_t count = 0;
    bool person = false;
};
Result<SuppressionsKept> suppressions_under(storage::Transaction& transaction,
                                            const identity::Graph& graph,
                                            std::span<const Token> tokens, Timestamp at);

}  // namespace cdp
