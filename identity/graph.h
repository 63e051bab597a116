#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cdp/base/result.h"
#include "identity/change.h"
#include "identity/component.h"
#include "identity/node.h"
#include "identity/observation.h"
#include "identity/quiet.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace identity {

// The evidence and its fold, kept in a store. Every change goes through the caller's transaction,
// so that an event, its links and the persons they make are one commit. Safe to use from many
// threads.
class Graph {
public:
    // All must outlive it.
    Graph(const storage::Store& store, const storage::Vault& vault, const IdentifierTypes& types,
          const Bounds& bounds = {});

    const Bounds& bounds() const { return bounds_; }

    cdp::Token token(std::string_view type, std::string_view value) const;

    // Adds what an observation says; one sighting alone only makes it known. Most observations say
    // nothing new and write nothing. Once the transaction is settled, the stored partition is the
    // fold of all stored evidence; several observations may be settled together.
    cdp::Result<Observed> observe(const storage::Snapshot& snapshot,
                                  storage::Transaction& transaction,
                                  const Observation& observation) const;

    // Brings the persons up to date after the transaction's observations. `now` is for what is
    // announced.
    cdp::Result<void> settle(storage::Transaction& transaction,
                             std::span<const cdp::Token> unsettled, cdp::Timestamp now) const;

    // The same after something else changed than that there is more evidence: an assertion, rules.
    // Answers the identifiers that were folded.
    cdp::Result<std::vector<cdp::Token>> settle_afresh(storage::Transaction& transaction,
                                                       std::span<const cdp::Token> start,
                                                       const Cause& cause) const;

    // What the fold goes by, as of the transaction: it counts as read.
    cdp::Result<Rules> rules(storage::Transaction& transaction) const;

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
    // Retractions of whole sources, and what they were read from.
    struct Retractions {
        std::vector<Retraction> ranges;
        storage::ReadSet reads;
    };

    std::optional<Saying> saying_of(const Observation& observation) const;
    cdp::Result<std::optional<Observed>> observe_quiet(const storage::Snapshot& snapshot,
                                                       storage::Transaction& transaction,
                                                       const Observation& observation,
                                                       const Saying& saying) const;

    const storage::Store& store_;
    const storage::Vault& vault_;
    const TypeOf type_of_;
    const Bounds bounds_;
    const bool limited_;  // some type is limited within windows of time
    const std::unique_ptr<QuietSayings> quiet_;
    mutable std::mutex mutex_;  // held to read and to replace the pointer
    mutable std::shared_ptr<const Retractions> retractions_;
};

}  // namespace identity
