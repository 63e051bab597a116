#include "cdp/withdrawal_reach.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "consent/policy.h"

namespace cdp {
namespace {

bool comes_before(const Denial& a, const Denial& b) {
    return std::tie(a.counted, a.id) < std::tie(b.counted, b.id);
}

// Whoever was told of `earlier` has nothing to learn from `later`.
bool reaches_as_far(const Denial& earlier, const Denial& later) {
    const bool persons =
        earlier.whole_person ||
        (!later.whole_person && std::ranges::includes(earlier.tokens, later.tokens));
    const bool all_labels = std::ranges::all_of(later.labels, [&](const auto& label) {
        return std::ranges::find(earlier.labels, label) != earlier.labels.end();
    });
    return persons && (earlier.labels.empty() || (!later.labels.empty() && all_labels));
}

}  // namespace

bool takes_back(const Denial& denial, const Told& told) {
    if (!consent::covers(denial.purpose, told.purpose)) return false;
    const auto& channels = denial.channels;
    if (!channels.empty() && std::ranges::find(channels, told.channel) == channels.end())
        return false;
    return denial.labels.empty() || std::ranges::any_of(denial.labels, [&](const auto& label) {
               return std::ranges::binary_search(told.fields->labels, label);
           });
}

std::vector<const Told*> news_to(const Denial& denial, std::span<const Told> told,
                                 std::span<const Denial> denials) {
    // Up to when an earlier denial has told of it already.
    std::map<std::tuple<std::string_view, std::string_view, const ToldFields*>, Timestamp> barriers;
    const auto barrier = [&](const Told& one) {
        const auto [at, fresh] =
            barriers.try_emplace(std::tuple(std::string_view(one.channel),
                                            std::string_view(one.purpose), one.fields.get()),
                                 Timestamp::min());
        if (!fresh) return at->second;
        for (const auto& other : denials)
            if (comes_before(other, denial) && takes_back(other, one) &&
                reaches_as_far(other, denial))
                at->second = std::max(at->second, other.counted);
        return at->second;
    };
    std::vector<const Told*> out;
    for (const auto& one : told) {
        if (one.first > denial.received + kUnderWay || !takes_back(denial, one)) continue;
        // Between `first` and `last` it may have left at any moment.
        if (std::min(one.last, denial.received) > barrier(one)) out.push_back(&one);
    }
    return out;
}

}  // namespace cdp
