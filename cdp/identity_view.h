#pragma once

#include <optional>
#include <string>

#include "cdp/base/time.h"
#include "cdp/identity_reading.h"
#include "cdp/queries.h"

namespace cdp {

// Who is who and why, for those who run the platform: nothing here passes the gate. Reads what a
// fold of the persons would read, and a bounded number of events. Safe to use from many threads;
// everything it refers to must outlive it.
class IdentityView {
public:
    explicit IdentityView(IdentityNeeds needs) : needs_(needs) {}

    // See Platform::explain and Platform::identity_of.
    Result<Shown> explain(const NamedIdentifier& a, const NamedIdentifier& b) const;
    Result<Shown> of_person(const NamedIdentifier& subject) const;
    Result<Shown> of_person_at(const NamedIdentifier& subject, Timestamp at) const;

private:
    IdentityNeeds needs_;
};

}  // namespace cdp
