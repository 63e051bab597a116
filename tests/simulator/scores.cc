#include "tests/simulator/scores.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>

#include "cdp/base/assert.h"

namespace simulator {
namespace {

using Sizes = std::unordered_map<std::uint32_t, std::uint64_t>;

// How many events each person of one labelling, of the other, and of both has.
struct Table {
    Table(const Labels& truth, const Labels& found) {
        CDP_ASSERT(truth.size() == found.size());
        for (std::size_t i = 0; i < truth.size(); ++i) {
            ++by_truth[truth[i]];
            ++by_found[found[i]];
            ++by_both[std::uint64_t{truth[i]} << 32 | found[i]];
        }
    }
    Sizes by_truth;
    Sizes by_found;
    std::unordered_map<std::uint64_t, std::uint64_t> by_both;
};

template <typename Counts>
double pairs(const Counts& counts) {
    std::uint64_t sum = 0;
    for (const auto& [label, n] : counts) sum += n * (n - 1) / 2;
    return static_cast<double>(sum);
}

double share(double part, double whole) {
    return whole > 0 ? part / whole : 1;
}

Score with_f1(double precision, double recall) {
    const auto sum = precision + recall;
    return {precision, recall, sum > 0 ? 2 * precision * recall / sum : 0};
}

}  // namespace

Score pairwise(const Labels& truth, const Labels& found) {
    const Table table(truth, found);
    const auto both = pairs(table.by_both);
    return with_f1(share(both, pairs(table.by_found)), share(both, pairs(table.by_truth)));
}

Score b_cubed(const Labels& truth, const Labels& found) {
    if (truth.empty()) return {};
    const Table table(truth, found);
    double precision = 0;
    double recall = 0;
    for (const auto& [key, count] : table.by_both) {
        const auto n = static_cast<double>(count);
        const auto in_truth = table.by_truth.at(static_cast<std::uint32_t>(key >> 32));
        const auto in_found = table.by_found.at(static_cast<std::uint32_t>(key));
        precision += n * n / static_cast<double>(in_found);
        recall += n * n / static_cast<double>(in_truth);
    }
    const auto events = static_cast<double>(truth.size());
    return with_f1(precision / events, recall / events);
}

double biggest_share(const Labels& found) {
    Sizes sizes;
    std::uint64_t biggest = 0;
    for (const auto label : found) biggest = std::max(biggest, ++sizes[label]);
    return found.empty() ? 0 : static_cast<double>(biggest) / static_cast<double>(found.size());
}

std::size_t with_two_accounts(std::span<const SimEvent> events, const Labels& found) {
    CDP_ASSERT(events.size() == found.size());
    std::unordered_map<std::uint32_t, std::set<std::string_view>> accounts;
    for (std::size_t i = 0; i < events.size(); ++i)
        if (!events[i].user_id.empty()) accounts[found[i]].insert(events[i].user_id);
    return static_cast<std::size_t>(std::ranges::count_if(
        accounts, [](const auto& person) { return person.second.size() > 1; }));
}

double agreement(const Labels& a, const Labels& b) {
    return pairwise(a, b).f1;
}

Labels truth_of(std::span<const SimEvent> events) {
    Labels truth;
    for (const auto& event : events) truth.push_back(event.true_actor);
    return truth;
}

}  // namespace simulator
