#pragma once

#include "cdp/config.h"
#include "cdp/consent_intake.h"
#include "cdp/erasures.h"
#include "cdp/membership.h"
#include "cdp/privacy_requests.h"
#include "cdp/rectifications.h"
#include "cdp/subject_report.h"
#include "cdp/suppressions.h"
#include "identity/graph.h"
#include "storage/store.h"

namespace cdp {

// What the kinds of requests are executed with. All of it outlives the requests.
struct PrivacyExecutors {
    storage::Store& store;
    const Erasures& erasures;
    const Suppressions& suppressions;
    ConsentIntake& intake;
    const SubjectReports& reports;
    const Rectifications& rectifications;
    const identity::Graph& graph;
    const Membership& membership;
};

// Gives each kind that is served here who does it.
void serve_privacy_requests(PrivacyRequests& requests, const PrivacyExecutors& with);

}  // namespace cdp
