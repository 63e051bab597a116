#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cdp/intake.h"

namespace cdp {

// Consent answers in: checked, bound to the identifiers they name, stored, in the ledger. Safe to
// use from many threads; everything it refers to must outlive it.
class ConsentIntake {
public:
    explicit ConsentIntake(IntakeNeeds needs) : needs_(needs) {}

    // See Platform::record_consents.
    void run(const Principal& caller, std::vector<ConsentRequest> requests, Recorded done);

private:
    struct Item {
        consent::Record record;
        std::vector<identity::Sighting> sightings;
        bool stored = false;
    };
    struct Request {
        std::vector<Item> items;
        Recorded done;
        int races = 0;
    };
    using Pending = std::shared_ptr<Request>;

    Result<Item> check(const Principal& caller, const ConsentRequest& request,
                       const std::string& pointer) const;
    Result<std::vector<identity::Sighting>> check_identifiers(const Principal& caller,
                                                              const ConsentRequest& request,
                                                              const std::string& pointer) const;
    void step(const Pending& request);
    void settle(const Pending& request, const std::vector<std::size_t>& asked,
                const std::vector<storage::CommitOutcome>& outcomes);

    IntakeNeeds needs_;
};

}  // namespace cdp
