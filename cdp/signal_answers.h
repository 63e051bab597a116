#pragma once

#include <string>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "cdp/consent_request.h"
#include "consent/policy.h"

namespace cdp {

// What a posted request stands for.
struct SignalAnswers {
    std::vector<ConsentRequest> all;
    // What of the signal could not be read or acted on, and is denied: signal_truncated.
    std::vector<ConsentWarning> warnings;
};

// A request that names a purpose stands for itself. A signal without one says of which purposes it
// speaks: it stands for an answer for each of them, and one more for each channel to whose vendor
// it is stricter. Errors, their pointers beginning with `pointer`: purpose_required,
// invalid_signal, state_in_signal, signal_without_effect (no purpose heeds what it says).
Result<SignalAnswers> answers_of(const consent::Policy& policy, const ConsentRequest& request,
                                 const std::string& pointer, Timestamp now);

}  // namespace cdp
