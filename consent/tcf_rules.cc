#include "consent/tcf_rules.h"

namespace consent {

SignalFault check_tcf_canada(const Tcf& tcf, cdp::Timestamp now, const TcfRules& rules) {
    if (tcf.cmp_id < 2) return SignalFault::cmp_unknown;
    if (tcf.created > now + rules.ahead_most) return SignalFault::from_the_future;
    if (tcf.updated > now + rules.ahead_most) return SignalFault::from_the_future;
    if (now >= tcf.created + rules.lifetime) return SignalFault::expired;
    return SignalFault::none;
}

SignalFault check_tcf(const Tcf& tcf, cdp::Timestamp now, const TcfRules& rules) {
    if (!tcf.service_specific) return SignalFault::not_service_specific;
    const auto fault = check_tcf_canada(tcf, now, rules);
    if (fault != SignalFault::none) return fault;
    if (tcf.created >= rules.disclosed_vendors_from && !tcf.disclosed_vendors)
        return SignalFault::disclosed_vendors_missing;
    return SignalFault::none;
}

}  // namespace consent
