#include "cdp/privacy_regimes.h"

#include <algorithm>
#include <array>

#include "cdp/base/calendar.h"

namespace cdp {
namespace {

constexpr LegalTerm kMonth{.months = 1};
constexpr LegalTerm kNone{};

// The extension counts from the end of the first term, as each of these laws has it.
constexpr std::array kRegimes{
    PrivacyRegime{.name = "gdpr",
                  .acknowledge = kNone,
                  .answer = kMonth,
                  .extension = {.months = 2},
                  .opt_out = kMonth,
                  .source = "Regulation (EU) 2016/679, Art. 12(3)"},
    PrivacyRegime{.name = "uk_gdpr",
                  .acknowledge = kNone,
                  .answer = kMonth,
                  .extension = {.months = 2},
                  .opt_out = kMonth,
                  .source = "UK GDPR, Art. 12(3)"},
    PrivacyRegime{.name = "ccpa",
                  .acknowledge = {.business_days = 10},
                  .answer = {.days = 45},
                  .extension = {.days = 45},
                  .opt_out = {.business_days = 15},
                  .source = "11 CCR § 7021; § 7026 for opt-outs",
                  // Civil Code § 1798.135(c)(4)
                  .no_reask = {.months = 12}},
    PrivacyRegime{.name = "vcdpa",
                  .acknowledge = kNone,
                  .answer = {.days = 45},
                  .extension = {.days = 45},
                  .opt_out = {.days = 45},
                  .source = "Code of Virginia § 59.1-577(B)"},
    PrivacyRegime{.name = "cpa",
                  .acknowledge = kNone,
                  .answer = {.days = 45},
                  .extension = {.days = 45},
                  .opt_out = {.days = 45},
                  .source = "Colorado Revised Statutes § 6-1-1306(2)"},
    PrivacyRegime{.name = "pipeda",
                  .acknowledge = kNone,
                  .answer = {.days = 30},
                  .extension = {.days = 30},
                  .opt_out = {.days = 30},
                  .source = "PIPEDA (Canada), s. 8(3), 8(4)"},
    PrivacyRegime{.name = "lgpd",
                  .acknowledge = kNone,
                  .answer = {.days = 15},
                  .extension = kNone,
                  .opt_out = {.days = 15},
                  .source = "Lei 13.709/2018 (Brazil), Art. 19 II"},
    PrivacyRegime{.name = "pipa_kr",
                  .acknowledge = kNone,
                  .answer = {.days = 10},
                  .extension = kNone,
                  .opt_out = {.days = 10},
                  .source = "PIPA (Korea), Enforcement Decree Art. 41, 43, 44"},
    PrivacyRegime{.name = "voluntary",
                  .acknowledge = kNone,
                  .answer = {.days = 45},
                  .extension = {.days = 45},
                  .opt_out = {.business_days = 15},
                  .source = "no law: what the controller promises whom none covers"},
};

}  // namespace

Timestamp LegalTerm::after(Timestamp time) const {
    return business_days_later(months_later(time, std::chrono::months(months)), business_days) +
           std::chrono::days(days);
}

std::span<const PrivacyRegime> privacy_regimes() {
    return kRegimes;
}

const PrivacyRegime* find_privacy_regime(std::string_view name) {
    const auto found = std::ranges::find(kRegimes, name, &PrivacyRegime::name);
    return found == kRegimes.end() ? nullptr : &*found;
}

PrivacyDeadlines deadlines_of(const PrivacyRegime& regime, bool opts_out, Timestamp received) {
    PrivacyDeadlines out{.answer_by = (opts_out ? regime.opt_out : regime.answer).after(received)};
    if (!regime.acknowledge.none() && !opts_out)
        out.acknowledge_by = regime.acknowledge.after(received);
    return out;
}

std::optional<Timestamp> extended(const PrivacyRegime& regime, bool opts_out, Timestamp answer_by) {
    if (opts_out || regime.extension.none()) return std::nullopt;
    return regime.extension.after(answer_by);
}

}  // namespace cdp
