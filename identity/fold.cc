#include "identity/fold.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <tuple>

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

// Decided by direct neighbours alone and monotone in the evidence, hence order-free. Identifiers
// that were never seen themselves neither are shared nor make others so.
std::vector<bool> shared_nodes(std::span<const FoldNode> nodes, std::span<const FoldLink> links) {
    struct Neighbours {
        std::uint32_t accounts = 0;
        std::uint32_t contacts = 0;
        std::uint32_t cookies = 0;
        std::uint32_t all = 0;
    };
    std::vector<Neighbours> seen_with(nodes.size());
    const auto count = [&](std::uint32_t at, std::uint32_t neighbour) {
        const auto link_class = nodes[neighbour].type->link_class;
        ++seen_with[at].all;
        if (link_class == LinkClass::account) ++seen_with[at].accounts;
        if (is_contact(link_class)) ++seen_with[at].contacts;
        if (link_class == LinkClass::cookie) ++seen_with[at].cookies;
    };
    for (const FoldLink& link : links) {
        if (!nodes[link.a].seen || !nodes[link.b].seen) continue;
        count(link.a, link.b);
        count(link.b, link.a);
    }
    std::vector<bool> shared(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const IdentifierType& type = *nodes[i].type;
        const auto over = [](std::uint32_t n, std::uint16_t most) { return most > 0 && n > most; };
        shared[i] =
            nodes[i].shared ||
            (type.shared_at_accounts > 0 && seen_with[i].accounts >= type.shared_at_accounts) ||
            over(seen_with[i].contacts, type.contacts_max) ||
            over(seen_with[i].cookies, type.cookies_max) ||
            (!type.unique && seen_with[i].all > kNeighboursMax);
    }
    return shared;
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

// Disjoint sets of nodes, each with the values of unique types it holds and its best member.
class Persons {
public:
    explicit Persons(std::span<const FoldNode> nodes)
        : nodes_(nodes), parent_(nodes.size()), anchor_(nodes.size()), unique_(nodes.size()) {
        std::iota(parent_.begin(), parent_.end(), 0U);
        std::iota(anchor_.begin(), anchor_.end(), 0U);
        for (std::uint32_t i = 0; i < nodes.size(); ++i)
            if (nodes[i].type->unique) unique_[i].push_back(i);
    }

    std::uint32_t anchor(std::uint32_t node) { return anchor_[find(node)]; }

    // False when the two may not be one person.
    bool join(std::uint32_t a, std::uint32_t b) {
        a = find(a);
        b = find(b);
        if (a == b) return true;
        for (const auto mine : unique_[a])
            for (const auto theirs : unique_[b])
                if (nodes_[mine].type->name == nodes_[theirs].type->name) return false;
        parent_[b] = a;
        if (better(anchor_[b], anchor_[a])) anchor_[a] = anchor_[b];
        unique_[a].insert(unique_[a].end(), unique_[b].begin(), unique_[b].end());
        return true;
    }

private:
    std::uint32_t find(std::uint32_t node) {
        while (parent_[node] != node) {
            parent_[node] = parent_[parent_[node]];
            node = parent_[node];
        }
        return node;
    }
    bool better(std::uint32_t a, std::uint32_t b) const {
        return better_anchor(nodes_[a].type->link_class, nodes_[a].rank, nodes_[b].type->link_class,
                             nodes_[b].rank);
    }

    std::span<const FoldNode> nodes_;
    std::vector<std::uint32_t> parent_;
    std::vector<std::uint32_t> anchor_;
    std::vector<std::vector<std::uint32_t>> unique_;  // nodes of unique types, per root
};

}  // namespace

bool better_anchor(LinkClass a_class, const cdp::Rank& a, LinkClass b_class, const cdp::Rank& b) {
    return std::tie(a_class, a) < std::tie(b_class, b);
}

Partition fold(std::span<const FoldNode> nodes, std::span<const FoldLink> links) {
    Partition out;
    out.active = active_nodes(nodes);
    out.shared = shared_nodes(nodes, links);

    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 0; i < links.size(); ++i) {
        const auto joins = [&](std::uint32_t node) {
            return out.active[node] && !out.shared[node];
        };
        if (joins(links[i].a) && joins(links[i].b)) order.push_back(i);
    }
    std::ranges::sort(order, {}, [&](std::uint32_t i) { return order_of(links[i], nodes); });

    Persons persons(nodes);
    for (const auto i : order)
        if (!persons.join(links[i].a, links[i].b)) out.refused.push_back({i, Apart::unique_type});

    out.anchor.resize(nodes.size());
    for (std::uint32_t i = 0; i < nodes.size(); ++i) out.anchor[i] = persons.anchor(i);
    return out;
}

}  // namespace identity
