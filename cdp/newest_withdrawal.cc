#include "cdp/newest_withdrawal.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "consent/policy.h"
#include "consent/record_words.h"

namespace cdp {
namespace {

// A grant takes a denial back that stands: a record's any, a stamp's one of the same identifier.
bool takes_back(const Committed& grant, const Committed& denial) {
    if (grant.type == consent::EntryType::record) return true;
    return denial.type == consent::EntryType::cell && denial.under == grant.under;
}

// One moment at which something was said.
struct Moment {
    Timestamp time{};
    const Committed* said = nullptr;
};

// Oldest first.
std::vector<Moment> moments_of(const std::vector<Committed>& said,
                               std::span<const consent::Member> members) {
    std::map<RecordId, const Committed*> by_id;
    std::vector<Moment> out;
    for (const auto& one : said) {
        by_id[one.id()] = &one;
        out.push_back({one.time(), &one});
    }
    for (const auto& member : members)
        for (const auto& fact : member.facts) {
            const auto at = by_id.find(fact.id);
            if (at != by_id.end() && at->second->type == consent::EntryType::cell &&
                at->second->time() != fact.time)
                out.push_back({fact.time, at->second});
        }
    std::ranges::sort(out, {},
                      [](const Moment& one) { return std::pair(one.time, one.said->id()); });
    return out;
}

}  // namespace

std::optional<NewestWithdrawal> newest_withdrawal(const std::vector<Committed>& said,
                                                  std::span<const consent::Member> members,
                                                  std::string_view purpose) {
    std::map<std::string, const Committed*> standing;  // denials, by purpose
    std::optional<Moment> newest;
    for (const auto& moment : moments_of(said, members)) {
        const auto& one = *moment.said;
        if (!purpose.empty() && !consent::covers(one.purpose(), purpose)) continue;
        auto& stands = standing[one.purpose()];
        if (consent::is_denial(one.state())) {
            if (stands && one.type == consent::EntryType::cell) continue;
            stands = &one;
            newest = moment;
        } else if (one.state() == consent::State::granted && stands && takes_back(one, *stands)) {
            stands = nullptr;
        }
    }
    if (!newest) return std::nullopt;
    const bool record = newest->said->type == consent::EntryType::record;
    return NewestWithdrawal{*newest->said, record ? newest->said->received() : newest->time};
}

}  // namespace cdp
