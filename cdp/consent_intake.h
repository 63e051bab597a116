#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cdp/consent_check.h"
#include "cdp/consent_proof.h"
#include "cdp/intake.h"
#include "cdp/notices.h"

namespace cdp {

// Consent answers in: checked, bound to the identifiers they name, stored, in the ledger. Safe to
// use from many threads; everything it refers to must outlive it.
class ConsentIntake {
public:
    ConsentIntake(IntakeNeeds needs, const Notices& notices)
        : needs_(needs),
          check_({needs.vault, needs.graph, needs.config}),
          proof_({needs.vault, notices}) {}

    // See Platform::record_consents.
    void run(const Principal& caller, std::vector<ConsentRequest> requests, Recorded done);
    // As run(); not on the committer's thread.
    Result<std::vector<RecordedConsent>> run_and_wait(const Principal& caller,
                                                      std::vector<ConsentRequest> requests);

private:
    struct Item : CheckedConsent {
        bool stored = false;
    };
    struct Request {
        std::vector<Item> items;
        Backlog::Place place;
        Recorded done;
        int races = 0;
    };
    using Pending = std::shared_ptr<Request>;

    Result<void> take(const Principal& caller, const std::vector<ConsentRequest>& requests,
                      Request& into) const;
    Result<void> take(const Principal& caller, const ConsentRequest& said,
                      const std::string& pointer, Timestamp now, Request& into) const;
    Result<void> check_types(storage::Transaction& transaction, const Item& item) const;
    Result<bool> record(const storage::Snapshot& snapshot, storage::Transaction& transaction,
                        Item& item) const;
    static void answer(Request& request, Result<std::vector<RecordedConsent>> result);
    void step(const Pending& request);
    void settle(const Pending& request, const std::vector<std::size_t>& asked,
                const std::vector<storage::CommitOutcome>& outcomes);

    IntakeNeeds needs_;
    ConsentCheck check_;
    ConsentProof proof_;
};

}  // namespace cdp
