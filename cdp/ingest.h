#pragma once

#include <memory>

#include "cdp/groups.h"
#include "cdp/intake.h"
#include "cdp/signal_intake.h"
#include "cdp/source_names.h"
#include "cdp/spellings.h"

namespace cdp {

// Events in: deduplicated, resolved, filed under their identifiers, their stamps in the ledger, in
// one commit for each person concerned. Safe to use from many threads; everything it refers to must
// outlive it.
class Ingest {
public:
    Ingest(IntakeNeeds needs, const Groups& groups, const SourceNames& sources);
    ~Ingest();

    // See Platform::ingest.
    void run(const Principal& source, ParsedBatch batch, Ingested done);

private:
    struct Item;
    struct Cluster;
    struct Request;
    using Pending = std::shared_ptr<Request>;

    std::vector<Cluster> clusters_of(const std::vector<Item>& items) const;
    Item prepare(const std::string& source, std::uint32_t source_hash, Event event,
                 std::size_t index) const;
    void step(const Pending& request);
    void settle(const Pending& request, std::vector<std::size_t> asked,
                std::vector<storage::CommitOutcome> outcomes);
    void finish(const Pending& request);
    static void answer(Request& request, Result<std::vector<Verdict>> result);
    Result<void> work(const storage::Snapshot& snapshot, storage::Transaction& transaction,
                      Request& request, Cluster& cluster);
    Result<VerdictKind> store(const storage::Snapshot& snapshot, storage::Transaction& transaction,
                              const Request& request, Item& item, std::vector<Token>& unsettled);
    void learn(Request& request, const Cluster& cluster, storage::Version version) const;
    Result<bool> is_erased(storage::Transaction& transaction, const Item& item) const;
    Result<void> stamp(storage::Transaction& transaction, const Request& request, Item& item) const;

    IntakeNeeds needs_;
    const Groups& groups_;
    const SourceNames& sources_;
    const SignalReader signals_;
    const Spellings spellings_;
};

}  // namespace cdp
