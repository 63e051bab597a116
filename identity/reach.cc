#include "identity/reach.h"

#include <algorithm>

namespace identity {
namespace {

struct Step {
    std::uint32_t to = 0;
    bool believed = false;
};
using Steps = std::vector<std::vector<Step>>;  // per node

void add(Steps& steps, const Folded& folded, std::uint32_t a, std::uint32_t b, bool believed) {
    if (folded.partition.anchor[a] != folded.partition.anchor[b]) return;
    steps[a].push_back({b, believed});
    steps[b].push_back({a, believed});
}

// Every link that holds, not only those that happened to join: one said by many has several ways.
Steps steps_of(const Folded& folded, const std::set<std::uint32_t>& believed) {
    Steps steps(folded.nodes.size());
    std::vector<bool> refused(folded.links.size());
    for (const auto& one : folded.partition.refused) refused[one.link] = true;
    for (std::size_t i = 0; i < folded.links.size(); ++i) {
        const auto& link = folded.links[i];
        if (refused[i]) continue;
        add(steps, folded, link.a, link.b,
            std::ranges::any_of(link.evidence.sources, [&](std::uint32_t source) {
                return source == kHashEquality || believed.contains(source);
            }));
    }
    for (std::size_t i = 0; i < folded.asserted.must.size(); ++i)
        if (std::ranges::find(folded.partition.must_refused, i) ==
            folded.partition.must_refused.end())
            add(steps, folded, folded.asserted.must[i].first, folded.asserted.must[i].second, true);
    return steps;
}

bool is_unguessable(const FoldNode& node) {
    return node.type->link_class >= LinkClass::device;
}

}  // namespace

std::vector<bool> reach(const Folded& folded, std::span<const std::uint32_t> start,
                        const std::set<std::uint32_t>& believed) {
    const auto steps = steps_of(folded, believed);
    std::vector<bool> out(folded.nodes.size());
    std::vector<std::uint32_t> queue;
    const auto meet = [&](std::uint32_t at) {
        if (!out[at]) queue.push_back(at);
        out[at] = true;
    };
    std::ranges::for_each(start, meet);
    for (std::size_t next = 0; next < queue.size(); ++next)
        for (const Step& step : steps[queue[next]])
            if (step.believed || is_unguessable(folded.nodes[step.to])) meet(step.to);
    return out;
}

}  // namespace identity
