#include "identity/fold.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <optional>
#include <tuple>

#include "identity/persons.h"
#include "identity/shared.h"

namespace identity {
namespace {

std::vector<bool> active_nodes(std::span<const FoldNode> nodes) {
    std::vector<bool> active(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const FoldNode& node = nodes[i];
        const bool twin_seen = node.twin >= 0 && nodes[static_cast<std::size_t>(node.twin)].seen;
        active[i] = node.seen || (node.type->link_class == LinkClass::cookie && !twin_seen);
    }
    return active;
}

// Identifiers that were never seen themselves neither are shared nor make others so.
std::vector<bool> shared_nodes(std::span<const FoldNode> nodes, std::span<const FoldLink> links) {
    std::vector<Neighbours> seen_with(nodes.size());
    const auto counts = [&](std::uint32_t node) {
        return nodes[node].seen && !nodes[node].blocked;
    };
    for (const FoldLink& link : links) {
        if (!counts(link.a) || !counts(link.b)) continue;
        seen_with[link.a].add(nodes[link.b].type->link_class);
        seen_with[link.b].add(nodes[link.a].type->link_class);
    }
    std::vector<bool> shared(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i)
        shared[i] = nodes[i].shared || seen_with[i].make_shared(*nodes[i].type);
    return shared;
}

// Which links join classes of ever weaker links, and how big that gets.
class Components {
public:
    explicit Components(std::span<const FoldNode> nodes)
        : parent_(nodes.size()), size_(nodes.size(), 1), links_(nodes.size(), 0) {
        std::iota(parent_.begin(), parent_.end(), 0U);
        for (const FoldNode& node : nodes) level_.push_back(node.level);
    }

    void add(const FoldLink& link) {
        const auto a = find(link.a);
        const auto b = find(link.b);
        ++links_[a];
        if (a == b) return;
        parent_[b] = a;
        size_[a] += size_[b];
        links_[a] += links_[b];
        level_[a] = std::min(level_[a], level_[b]);
    }
    // Whether links up to this class may join the node.
    bool fits(std::uint32_t node, LinkClass link_class, const Bounds& bounds) {
        const auto root = find(node);
        return size_[root] <= bounds.identifiers && links_[root] <= bounds.links &&
               level_[root] >= link_class;
    }
    std::uint32_t size(std::uint32_t node) { return size_[find(node)]; }
    std::uint32_t links(std::uint32_t node) { return links_[find(node)]; }
    std::uint32_t find(std::uint32_t node) {
        while (parent_[node] != node) {
            parent_[node] = parent_[parent_[node]];
            node = parent_[node];
        }
        return node;
    }

private:
    std::vector<std::uint32_t> parent_;
    std::vector<std::uint32_t> size_;
    std::vector<std::uint32_t> links_;
    std::vector<LinkClass> level_;  // per root: the least known of its members
};

// The weakest class of links that joins each node: the weakest whose links, and better ones, do not
// connect it to too many. Content alone decides, and more evidence only cuts more.
std::vector<LinkClass> levels(std::span<const FoldNode> nodes, std::span<const FoldLink> links,
                              const std::vector<std::uint32_t>& order, const Bounds& bounds) {
    std::vector<LinkClass> level(nodes.size(), LinkClass::assertion);
    Components components(nodes);
    auto next = order.begin();
    for (int c = 0; c <= static_cast<int>(LinkClass::probabilistic); ++c) {
        const auto link_class = static_cast<LinkClass>(c);
        for (; next != order.end() && links[*next].evidence.link_class <= link_class; ++next)
            components.add(links[*next]);
        for (std::uint32_t i = 0; i < nodes.size(); ++i)
            if (components.fits(i, link_class, bounds)) level[i] = link_class;
    }
    return level;
}

// The order links are taken in: strongest claim first, by the weaker end and then by the stronger,
// so that what an account says of its address goes before what the address says of a phone. Ranks
// are unique per identifier, so no two links are equal.
auto order_of(const FoldLink& link, std::span<const FoldNode> nodes) {
    const FoldNode& a = nodes[link.a];
    const FoldNode& b = nodes[link.b];
    return std::tuple(link.evidence.link_class, std::min(a.type->link_class, b.type->link_class),
                      -std::popcount(link.evidence.days), -std::int64_t{link.evidence.last_day},
                      std::min(a.rank, b.rank), std::max(a.rank, b.rank));
}

bool order_matters(Apart reason) {
    return reason == Apart::unique_type || reason == Apart::limit || reason == Apart::cannot_link;
}

class Folding {
public:
    Folding(std::span<const FoldNode> nodes, std::span<const FoldLink> links,
            const FoldAssertions& asserted, const Bounds& bounds)
        : nodes_(nodes),
          links_(links),
          asserted_(asserted),
          bounds_(bounds),
          persons_(nodes, links, asserted) {}

    Partition run() {
        out_.active = active_nodes(nodes_);
        out_.shared = shared_nodes(nodes_, links_);
        const auto order = joining_links();
        out_.level = levels(nodes_, links_, order, bounds_);
        Components components(nodes_);
        std::vector<std::uint32_t> contesting;  // one end of each link whose order matters
        join_asserted(components, contesting);
        for (const auto i : order) join(i, components, contesting);
        place(components, contesting);
        for (std::uint32_t i = 0; i < nodes_.size(); ++i)
            if (out_of_play(i)) out_.level[i] = LinkClass::probabilistic;
        return std::move(out_);
    }

private:
    std::optional<Apart> out_of_play(std::uint32_t node) const {
        if (nodes_[node].blocked) return Apart::blocked;
        if (!out_.active[node]) return Apart::candidate;
        if (out_.shared[node]) return Apart::shared;
        return std::nullopt;
    }

    // Those whose ends may both be joined, in their order.
    std::vector<std::uint32_t> joining_links() {
        std::vector<std::uint32_t> order;
        for (std::uint32_t i = 0; i < links_.size(); ++i) {
            auto reason = out_of_play(links_[i].a);
            if (!reason) reason = out_of_play(links_[i].b);
            if (reason)
                out_.refused.push_back({i, *reason});
            else
                order.push_back(i);
        }
        std::ranges::sort(order, {}, [&](std::uint32_t i) { return order_of(links_[i], nodes_); });
        return order;
    }

    void join_asserted(Components& components, std::vector<std::uint32_t>& contesting) {
        std::vector<std::uint32_t> order(asserted_.must.size());
        std::iota(order.begin(), order.end(), 0U);
        std::ranges::sort(order, {}, [&](std::uint32_t i) {
            const auto& [a, b] = asserted_.must[i];
            return std::minmax(nodes_[a].rank, nodes_[b].rank);
        });
        for (const auto i : order) {
            const auto& [a, b] = asserted_.must[i];
            if (out_of_play(a) || out_of_play(b)) {
                out_.must_refused.push_back(i);
                continue;
            }
            components.add({a, b, {}});
            const bool before = persons_.together(a, b);
            if (persons_.must_join(a, b)) {
                out_.must_refused.push_back(i);
                contesting.push_back(a);
            } else if (!before) {
                out_.must_joined.push_back(i);
            }
        }
    }

    void join(std::uint32_t i, Components& components, std::vector<std::uint32_t>& contesting) {
        const FoldLink& link = links_[i];
        if (link.evidence.link_class > std::min(out_.level[link.a], out_.level[link.b])) {
            out_.refused.push_back({i, Apart::size});
            return;
        }
        components.add(link);
        const bool before = persons_.together(link.a, link.b);
        if (const auto reason = persons_.join(link.a, link.b)) {
            out_.refused.push_back({i, *reason});
            if (order_matters(*reason)) contesting.push_back(link.a);
        } else if (!before) {
            out_.joined.push_back(i);
        }
    }

    void place(Components& components, const std::vector<std::uint32_t>& contesting) {
        std::vector<bool> contested(nodes_.size());
        for (const auto node : contesting) contested[components.find(node)] = true;
        for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
            out_.anchor.push_back(persons_.anchor(i));
            out_.contested.push_back(contested[components.find(i)]);
            out_.component.push_back(components.size(i));
            out_.component_links.push_back(components.links(i));
        }
    }

    std::span<const FoldNode> nodes_;
    std::span<const FoldLink> links_;
    const FoldAssertions& asserted_;
    const Bounds& bounds_;
    Persons persons_;
    Partition out_;
};

}  // namespace

std::string_view to_string(Apart value) {
    switch (value) {
        case Apart::unique_type: return "unique_type";
        case Apart::limit: return "limit";
        case Apart::cannot_link: return "cannot_link";
        case Apart::shared: return "shared";
        case Apart::blocked: return "blocked";
        case Apart::candidate: return "candidate";
        case Apart::size: return "size";
    }
    return "unique_type";
}

bool better_anchor(LinkClass a_class, const cdp::Rank& a, LinkClass b_class, const cdp::Rank& b) {
    return std::tie(a_class, a) < std::tie(b_class, b);
}

Partition fold(std::span<const FoldNode> nodes, std::span<const FoldLink> links,
               const FoldAssertions& asserted, const Bounds& bounds) {
    return Folding(nodes, links, asserted, bounds).run();
}

}  // namespace identity
