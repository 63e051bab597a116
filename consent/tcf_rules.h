#pragma once

#include <chrono>

#include "cdp/base/time.h"
#include "consent/tcf.h"

namespace consent {

// What the framework's policy asks of a string, beyond its format.
struct TcfRules {
    // Strings created from then on must say which vendors were disclosed (2.3): after 28 February
    // 2026. Older ones keep their meaning until they expire.
    cdp::Timestamp disclosed_vendors_from = cdp::timestamp_of(1'772'323'200'000);
    std::chrono::days lifetime{390};    // people are to be reminded of their choice by then
    std::chrono::hours ahead_most{24};  // of a writer's clock
};

// Whether a European string that was decoded may be acted on. What the format can say and the
// policy forbids is refused here and not by the decoder, so that it can be shown.
SignalFault check_tcf(const Tcf& tcf, cdp::Timestamp now, const TcfRules& rules = {});
// Canada's has no scope, and need not say which vendors were disclosed.
SignalFault check_tcf_canada(const Tcf& tcf, cdp::Timestamp now, const TcfRules& rules = {});

}  // namespace consent
