#include "identity/reach.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace identity {
namespace {

struct Step {
    std::uint32_t to = 0;
    bool believed = false;
};
using Steps = std::vector<std::vector<Step>>;  // per node

// Made at random where they are kept, and told to nobody but the source. Advertising ids are known
// to many.
constexpr std::array<std::string_view, 2> kUnguessable{"anonymous_id", "device_id"};

bool is_unguessable(const FoldNode& node) {
    return std::ranges::find(kUnguessable, node.type->name) != kUnguessable.end();
}

bool is_record(const FoldNode& node) {
    return node.type->link_class == LinkClass::account || node.type->link_class == LinkClass::crm;
}

bool said(const FoldLink& link, const std::set<std::uint32_t>& believed) {
    return std::ranges::any_of(link.evidence.sources, [&](std::uint32_t source) {
        return source == kHashEquality || believed.contains(source);
    });
}

// What who is believed said of records of several persons; per node.
std::vector<bool> contested(const Folded& folded, const std::set<std::uint32_t>& believed) {
    std::vector<std::set<std::uint32_t>> persons(folded.nodes.size());
    const auto note = [&](std::uint32_t record, std::uint32_t other) {
        if (is_record(folded.nodes[record])) persons[other].insert(folded.partition.anchor[record]);
    };
    for (const auto& link : folded.links) {
        if (!said(link, believed)) continue;
        note(link.a, link.b);
        note(link.b, link.a);
    }
    std::vector<bool> out;
    for (const auto& of : persons) out.push_back(of.size() > 1);
    return out;
}

// Every link that holds, not only those that happened to join: one said by many has several ways.
class Ways {
public:
    Ways(const Folded& folded, const std::set<std::uint32_t>& believed)
        : folded_(folded), contested_(contested(folded, believed)), steps_(folded.nodes.size()) {
        std::vector<bool> refused(folded.links.size());
        for (const auto& one : folded.partition.refused)
            refused[one.link] = one.reason != Apart::shared;
        for (std::size_t i = 0; i < folded.links.size(); ++i)
            if (!refused[i])
                add(folded.links[i].a, folded.links[i].b,
                    said(folded.links[i], believed) && tells(folded.links[i]));
        const auto& apart = folded.partition.must_refused;
        for (std::size_t i = 0; i < folded.asserted.must.size(); ++i)
            if (std::ranges::find(apart, i) == apart.end())
                add(folded.asserted.must[i].first, folded.asserted.must[i].second, true);
    }

    const std::vector<Step>& from(std::uint32_t node) const { return steps_[node]; }
    bool ends_at(std::uint32_t node) const { return folded_.partition.shared[node]; }

private:
    // Whether what is said by who is believed says that the two are one.
    bool tells(const FoldLink& link) const {
        const auto& sources = link.evidence.sources;
        if (std::ranges::find(sources, kHashEquality) != sources.end()) return true;
        if (link.evidence.link_class == LinkClass::verified_contact) return true;
        if (ends_at(link.a) || ends_at(link.b)) return false;
        return tells_of(link.a, link.b) && tells_of(link.b, link.a);
    }
    bool tells_of(std::uint32_t node, std::uint32_t other) const {
        if (!is_contact(folded_.nodes[node].type->link_class)) return true;
        return is_record(folded_.nodes[other]) && !contested_[node];
    }

    void add(std::uint32_t a, std::uint32_t b, bool believed) {
        const bool together = folded_.partition.anchor[a] == folded_.partition.anchor[b];
        if (!together && !ends_at(a) && !ends_at(b)) return;
        steps_[a].push_back({b, believed});
        steps_[b].push_back({a, believed});
    }

    const Folded& folded_;
    const std::vector<bool> contested_;
    Steps steps_;
};

}  // namespace

std::vector<bool> reach(const Folded& folded, std::span<const std::uint32_t> start,
                        const std::set<std::uint32_t>& believed) {
    const Ways ways(folded, believed);
    std::vector<bool> out(folded.nodes.size());
    std::vector<bool> queued(folded.nodes.size());
    std::vector<std::uint32_t> queue;
    const auto meet = [&](std::uint32_t at) {
        out[at] = true;
        if (!queued[at] && !ways.ends_at(at)) queue.push_back(at);
        queued[at] = true;
    };
    std::ranges::for_each(start, meet);
    for (std::size_t next = 0; next < queue.size(); ++next)
        for (const Step& step : ways.from(queue[next])) {
            if (step.believed)
                meet(step.to);
            else if (is_unguessable(folded.nodes[step.to]))
                out[step.to] = true;
        }
    return out;
}

}  // namespace identity
