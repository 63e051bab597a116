#include "cdp/audit_withdrawal.h"

#include <map>
#include <ranges>
#include <string>

#include "consent/policy.h"
#include "consent/record_words.h"

namespace cdp {
namespace {

// A grant takes a denial back that stands: a record's any, a stamp's one of the same identifier.
bool takes_back(const Committed& grant, const Committed& denial) {
    if (grant.type == consent::EntryType::record) return true;
    return denial.type == consent::EntryType::cell && denial.under == grant.under;
}

}  // namespace

std::optional<Committed> newest_withdrawal(const std::vector<Committed>& said,
                                           std::string_view purpose) {
    std::map<std::string, const Committed*> standing;  // denials, by purpose
    const Committed* newest = nullptr;
    for (const auto& one : said | std::views::reverse) {
        if (!purpose.empty() && !consent::covers(one.purpose(), purpose)) continue;
        auto& stands = standing[one.purpose()];
        if (consent::is_denial(one.state())) {
            if (stands && one.type == consent::EntryType::cell) continue;
            stands = &one;
            newest = &one;
        } else if (one.state() == consent::State::granted && stands && takes_back(one, *stands)) {
            stands = nullptr;
        }
    }
    return newest ? std::optional(*newest) : std::nullopt;
}

}  // namespace cdp
