#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/config.h"
#include "cdp/disclosures.h"
#include "cdp/erasure_recipients.h"
#include "cdp/erasure_rows.h"
#include "cdp/event_links.h"
#include "cdp/groups.h"
#include "cdp/people.h"
#include "cdp/queries.h"
#include "cdp/shown.h"
#include "cdp/suppressions.h"
#include "cdp/told_erasures.h"
#include "cdp/tombstones.h"
#include "cdp/withdrawals.h"
#include "consent/consents.h"
#include "consent/ledger.h"
#include "storage/store.h"
#include "storage/vault.h"

// Everything of somebody taken away, for good; docs/decisions/0026.
namespace cdp {

// As posted to /v1/privacy/erasures.
struct ErasureRequest {
    std::string type = {};
    std::string value = {};
    ErasureScope scope = ErasureScope::person;
    bool dry_run = false;     // only tell what would go
    std::string reason = {};  // kept with the request, like the note: not the place for names
    std::optional<consent::SuppressionReason> suppress = {};  // nor contacted, as the scope says
    std::string suppress_note = {};
    CheckWhom check = {};  // of whoever is about to be erased; its errors are answered
};

// Safe to use from many threads. Everything it refers to must outlive it.
class Erasures {
public:
    struct Needs {
        storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const consent::Consents& consents;
        const People& people;
        const Groups& groups;
        const Tombstones& tombstones;
        const Corrections& corrections;
        Disclosures& disclosures;
        const Withdrawals& withdrawals;
        const Suppressions& suppressions;
        const Config& config;
        const Clock& clock;
        std::function<void()> ended = {};  // called when somebody was erased
    };
    explicit Erasures(Needs needs) : needs_(needs) {}

    // Erases, and answers the request as JSON. Everything is gone, on disk, when it returns.
    // Somebody unknown is answered like everybody, with nothing held. Of a dry run nothing changes,
    // but that `reader` looked is noted. Errors: malformed_identifier, malformed_reason,
    // malformed_note; identifier_shared, identifier_suppressed (conflict): what is suppressed for a
    // whole person is not taken from who stays; busy; contended, and those of the store: the same
    // request sent again, or the next start, finishes what was begun.
    Result<std::string> erase(const Reader& reader, const std::string& author,
                              const ErasureRequest& request) const;
    // The same as it is kept, of no dry run.
    Result<Erasure> carry_out(const std::string& author, const ErasureRequest& request) const;

    // Finishes what an earlier process began; what cannot be finished stays closed, and is logged.
    // Before anything is served.
    Result<void> finish_interrupted() const;
    // The same for who serves nothing and may have been given another configuration. rules_differ,
    // erasure_interrupted (unavailable): somebody may be erased in part.
    Result<void> finish_or_refuse() const;

    // An erasure that another store has done, done here, under the same request: for a backup from
    // before it. False: it is known here. Before anything is served; errors of the store, after
    // which it is repeated.
    Result<bool> replay(const ToldErasure& told) const;

    // {"erasures":[…],"next":CURSOR|null}, newest first; and one. erasure_unknown (not_found).
    Result<std::string> page(const PageQuery& query) const;
    Result<std::string> read(std::string_view id) const;
    Result<Erasure> find(const PrivacyRequestId& id) const;
    Result<Erasure> find_named(std::string_view id) const;  // as text

    // By which requests an identifier was erased, newest first. malformed_cursor.
    struct Past {
        std::vector<Erasure> erasures = {};
        std::string next = {};  // empty: there are no more
    };
    Result<Past> of(storage::Transaction& transaction, const Token& token,
                    const PageQuery& query) const;
    // `facts` is without what somebody wrote, who asked and where recipients are reached: it may
    // name people.
    enum class Detail { all, facts };
    Result<std::string> json(const storage::Snapshot& snapshot, const Erasure& erasure,
                             Detail detail = Detail::all) const;
    // Members of that, of a recipient; where it can be told is as it is registered today.
    void put_recipient(consent::JsonWriter& out, const std::string& channel,
                       const ErasureRecipient& one, Detail detail = Detail::all) const;

private:
    // Takes rows away; true: there are no more.
    using Take = std::function<Result<bool>(ErasureRows&, People::Reading)>;

    // rules_differ, unless the persons were folded by the rules at hand: whoever is linked to who
    // is erased is folded by these.
    Result<void> check_rules(const char* message) const;
    Result<std::vector<Erasure>> interrupted() const;
    Result<void> check_suppressed(People::Reading reading, const ErasureRequest& request,
                                  const std::vector<Token>& tokens, Timestamp at) const;
    Result<void> suppress(People::Reading reading, const Erasure& erasure,
                          const ErasureRequest& request) const;
    Result<void> note_suppressions(storage::Transaction& transaction, Erasure& erasure) const;
    Result<Erasure> stop(const std::string& author, const ErasureRequest& request) const;
    Result<Erasure> try_out(const Reader& reader, const std::string& author,
                            const ErasureRequest& request) const;
    Result<Erasure> finish(Erasure erasure) const;
    Result<void> list_events_elsewhere(Erasure& erasure) const;
    Result<void> list_events(Erasure& erasure, const std::vector<FiledEvent>& events) const;
    Result<void> erase_events_elsewhere(Erasure& erasure) const;
    Result<void> shorten(Erasure& erasure) const;
    Result<void> complete(People::Reading reading, Erasure& erasure, const GivenTo& given) const;

    Result<std::vector<PersonId>> persons_of(People::Reading reading, const Erasure& erasure) const;
    Result<std::vector<FiledEvent>> elsewhere(People::Reading reading,
                                              const Erasure& erasure) const;
    Result<bool> take_some(Erasure& erasure, const Take& take) const;
    Result<void> take_back(ErasureRows& rows, storage::Transaction& transaction,
                           const Erasure& erasure) const;
    ErasureRows::Needs rows_needs() const {
        return {needs_.vault, needs_.graph, needs_.groups, needs_.corrections, needs_.config};
    }
    void write(storage::Transaction& transaction, const Erasure& erasure) const;

    Needs needs_;
    mutable std::atomic<int> asked_ = 0;  // under way or waiting
    mutable std::mutex turn_;             // one at a time
};

}  // namespace cdp
