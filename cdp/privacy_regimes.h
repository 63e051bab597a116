#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "cdp/base/time.h"

// By when a request is to be answered, by whichever law it is made; docs/decisions/0029.
namespace cdp {

// A length of time as a law says it. All zero: the law says none.
struct LegalTerm {
    int months = 0;
    int days = 0;           // calendar days
    int business_days = 0;  // Mondays to Fridays

    bool none() const { return months == 0 && days == 0 && business_days == 0; }
    // In UTC.
    Timestamp after(Timestamp time) const;
};

// What one law asks for. The names are on disk and on the wire: never change one.
struct PrivacyRegime {
    std::string_view name;
    LegalTerm acknowledge;  // to confirm that a request was received
    LegalTerm answer;
    LegalTerm extension;  // by which the answer may be later, once, with a reason
    LegalTerm opt_out;    // to stop what somebody opts out of or objects to; never extended
    std::string_view source;
    LegalTerm no_reask = {};  // nobody who opted out is asked again before
};

std::span<const PrivacyRegime> privacy_regimes();
// nullptr: there is no such row.
const PrivacyRegime* find_privacy_regime(std::string_view name);

struct PrivacyDeadlines {
    std::optional<Timestamp> acknowledge_by = {};
    Timestamp answer_by{};
};
// `opts_out`: an opt-out or an objection.
PrivacyDeadlines deadlines_of(const PrivacyRegime& regime, bool opts_out, Timestamp received);

// The later end of what is to be answered by `answer_by`; nullopt: the law allows none.
std::optional<Timestamp> extended(const PrivacyRegime& regime, bool opts_out, Timestamp answer_by);

}  // namespace cdp
