#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cdp/base/result.h"
#include "identity/evidence.h"
#include "identity/fold.h"
#include "identity/node.h"
#include "identity/quiet.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace identity {

// One identifier of one observation.
struct Sighting {
    Identifier identifier;
    cdp::Token token;
};

// What one event says about who is who.
struct Observation {
    std::vector<Sighting> sightings;  // at least one, best first, distinct

    // An alias call's previousId, as both things it may be; linked to the first sighting.
    struct Alias {
        Sighting account;
        Sighting cookie;
    };
    std::optional<Alias> alias;

    cdp::Timestamp time{};
    std::uint32_t source = 0;
};

struct Observed {
    storage::SubjectKey home_key;  // of the first sighting

    // Whose persons may have changed: Graph::settle is owed them. Empty for most observations.
    std::vector<cdp::Token> unsettled = {};

    // What to tell Graph::committed once the transaction is; none when it need not be told.
    struct Said {
        Saying saying;
        QuietSayings::Ground ground;
    };
    std::optional<Said> said = {};
};

// The evidence and its fold, kept in a store. Every change goes through the caller's transaction,
// so that an event, its links and the persons they make are one commit. Safe to use from many
// threads.
class Graph {
public:
    // All must outlive it.
    Graph(const storage::Store& store, const storage::Vault& vault, const IdentifierTypes& types);

    cdp::Token token(std::string_view type, std::string_view value) const;

    // Adds what an observation says; one sighting alone only makes it known. Most observations say
    // nothing new and write nothing. Once the transaction is settled, the stored partition is the
    // fold of all stored evidence; several observations may be settled together.
    cdp::Result<Observed> observe(const storage::Snapshot& snapshot,
                                  storage::Transaction& transaction,
                                  const Observation& observation) const;

    // Brings the persons up to date after the transaction's observations.
    cdp::Result<void> settle(storage::Transaction& transaction,
                             std::span<const cdp::Token> unsettled) const;

    // What an observation said was committed in that version: saying it again costs no read.
    void committed(Observed::Said said, storage::Version version) const;

    // nullopt: never seen.
    cdp::Result<std::optional<Node>> find(storage::Transaction& transaction,
                                          const cdp::Token& token) const;
    cdp::Result<std::optional<cdp::Token>> find_person(storage::Transaction& transaction,
                                                       const cdp::PersonId& person) const;
    // The tokens of a person, ordered. A shared identifier is alone.
    cdp::Result<std::vector<cdp::Token>> members(storage::Transaction& transaction,
                                                 const cdp::Token& anchor) const;

    // Opens the identifying part of a node.
    static cdp::Result<NodeValue> open(const storage::SubjectKey& key, const cdp::Token& token,
                                       const Node& node);

private:
    const IdentifierType& type_of(std::string_view name) const;

    std::optional<Saying> saying_of(const Observation& observation) const;
    cdp::Result<std::optional<Observed>> observe_quiet(const storage::Snapshot& snapshot,
                                                       storage::Transaction& transaction,
                                                       const Observation& observation,
                                                       const Saying& saying) const;

    const storage::Store& store_;
    const storage::Vault& vault_;
    const IdentifierTypes& types_;
    IdentifierType external_;  // stands for every type that is not configured
    const std::unique_ptr<QuietSayings> quiet_;
};

}  // namespace identity
