#include "identity/explain.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <tuple>

namespace identity {
namespace {

constexpr auto kNobody = std::numeric_limits<std::uint32_t>::max();

struct Edge {
    std::uint32_t to = 0;
    Hop::By by = Hop::By::link;
    std::uint32_t at = 0;
    std::optional<Apart> refused = {};
    LinkClass link_class = LinkClass::assertion;
};
using Edges = std::vector<std::vector<Edge>>;  // per node

void add(Edges& edges, std::uint32_t a, std::uint32_t b, Edge edge) {
    edge.to = b;
    edges[a].push_back(edge);
    edge.to = a;
    edges[b].push_back(edge);
}

void add_link(Edges& edges, const FoldLink& link, Edge edge) {
    edge.link_class = link.evidence.link_class;
    add(edges, link.a, link.b, edge);
}

Hop hop_of(std::uint32_t from, const Edge& edge) {
    return {.from = from, .to = edge.to, .by = edge.by, .at = edge.at, .refused = edge.refused};
}

// The links that joined: between two identifiers of one person there is exactly one way.
Edges forest(const Folded& folded) {
    Edges edges(folded.nodes.size());
    for (const auto i : folded.partition.must_joined) {
        const auto& [a, b] = folded.asserted.must[i];
        add(edges, a, b, {.by = Hop::By::must_link, .at = i});
    }
    for (const auto i : folded.partition.joined) add_link(edges, folded.links[i], {.at = i});
    return edges;
}

std::vector<Hop> path_in(const Edges& edges, std::uint32_t a, std::uint32_t b) {
    std::vector<Hop> came(edges.size(), Hop{.from = kNobody});
    std::vector<std::uint32_t> queue{a};
    came[a].from = a;
    for (std::size_t next = 0; next < queue.size() && came[b].from == kNobody; ++next)
        for (const Edge& edge : edges[queue[next]]) {
            if (came[edge.to].from != kNobody) continue;
            came[edge.to] = hop_of(queue[next], edge);
            queue.push_back(edge.to);
        }
    std::vector<Hop> path;
    if (came[b].from == kNobody) return path;
    for (auto at = b; at != a; at = path.back().from) path.push_back(came[at]);
    std::ranges::reverse(path);
    return path;
}

// Where on the path each node hangs: the number of the path's node that leads to it.
std::vector<std::uint32_t> places_along(const Edges& edges, const std::vector<Hop>& path) {
    std::vector<std::uint32_t> place(edges.size(), kNobody);
    std::vector<std::uint32_t> queue{path.front().from};
    for (const Hop& hop : path) queue.push_back(hop.to);
    for (std::uint32_t i = 0; i < queue.size(); ++i) place[queue[i]] = i;
    for (std::size_t next = 0; next < queue.size(); ++next)
        for (const Edge& edge : edges[queue[next]]) {
            if (place[edge.to] != kNobody) continue;
            place[edge.to] = place[queue[next]];
            queue.push_back(edge.to);
        }
    return place;
}

// A link that found its ends joined already would do instead of every hop between the places where
// they hang.
void mark_bridges(const Folded& folded, const Edges& edges, std::vector<Hop>& path) {
    const Partition& partition = folded.partition;
    const auto place = places_along(edges, path);
    std::vector<int> cover(path.size() + 1);
    const auto spare = [&](std::uint32_t a, std::uint32_t b) {
        if (place[a] == kNobody || place[b] == kNobody) return;
        ++cover[std::min(place[a], place[b])];
        --cover[std::max(place[a], place[b])];
    };
    std::vector<bool> taken(folded.links.size());
    for (const auto i : partition.joined) taken[i] = true;
    for (const auto& refused : partition.refused) taken[refused.link] = true;
    for (std::size_t i = 0; i < taken.size(); ++i)
        if (!taken[i]) spare(folded.links[i].a, folded.links[i].b);
    std::vector<bool> settled(folded.asserted.must.size());
    for (const auto i : partition.must_joined) settled[i] = true;
    for (const auto i : partition.must_refused) settled[i] = true;
    for (std::size_t i = 0; i < settled.size(); ++i)
        if (!settled[i]) spare(folded.asserted.must[i].first, folded.asserted.must[i].second);
    int spares = 0;
    for (std::size_t i = 0; i < path.size(); ++i) {
        spares += cover[i];
        path[i].bridge = spares == 0;
    }
}

std::optional<std::size_t> weakest_of(const Partition& partition, const std::vector<Hop>& path) {
    const auto order = [&](const Hop& hop) {
        const auto& list = hop.by == Hop::By::link ? partition.joined : partition.must_joined;
        return std::pair(hop.by == Hop::By::link, std::ranges::find(list, hop.at) - list.begin());
    };
    if (path.empty()) return std::nullopt;
    return static_cast<std::size_t>(std::ranges::max_element(path, {}, order) - path.begin());
}

// With everything that does not join, too.
Edges all_edges(const Folded& folded, Edges edges) {
    for (const auto& [link, reason] : folded.partition.refused)
        add_link(edges, folded.links[link], {.at = link, .refused = reason});
    for (const auto i : folded.partition.must_refused) {
        const auto& [a, b] = folded.asserted.must[i];
        auto reason = out_of_play(folded, a);
        if (!reason) reason = out_of_play(folded, b);
        add(edges, a, b,
            {.by = Hop::By::must_link, .at = i, .refused = reason.value_or(Apart::cannot_link)});
    }
    for (std::uint32_t i = 0; i < folded.retracted.size(); ++i)
        add_link(edges, folded.retracted[i], {.by = Hop::By::retracted, .at = i});
    return edges;
}

// How far it is: hops that do not join, how weak they are, all hops.
using Cost = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;

Cost after(const Cost& cost, const Hop& hop, LinkClass link_class) {
    auto [apart, weakness, hops] = cost;
    if (!hop.joins()) {
        ++apart;
        weakness += static_cast<std::uint32_t>(link_class);
    }
    return {apart, weakness, hops + 1};
}

// Of equal ways the one that comes from the better rank, so that content alone decides.
std::vector<Hop> least_apart(const Folded& folded, const Edges& edges, std::uint32_t a,
                             std::uint32_t b) {
    struct Reached {
        Cost cost{kNobody, kNobody, kNobody};
        Hop by = {};
    };
    std::vector<Reached> reached(edges.size());
    using Entry = std::pair<Cost, std::uint32_t>;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
    reached[a].cost = {};
    queue.emplace(Cost{}, a);
    while (!queue.empty()) {
        const auto [cost, at] = queue.top();
        queue.pop();
        if (at == b) break;
        if (cost != reached[at].cost) continue;
        for (const Edge& edge : edges[at]) {
            const Hop hop = hop_of(at, edge);
            const auto next = after(cost, hop, edge.link_class);
            Reached& known = reached[edge.to];
            if (next > known.cost) continue;
            if (next == known.cost && !(folded.nodes[at].rank < folded.nodes[known.by.from].rank))
                continue;
            if (next != known.cost) queue.emplace(next, edge.to);
            known = {next, hop};
        }
    }
    std::vector<Hop> path;
    if (std::get<0>(reached[b].cost) == kNobody) return path;
    for (auto at = b; at != a; at = path.back().from) path.push_back(reached[at].by);
    std::ranges::reverse(path);
    return path;
}

std::vector<std::uint32_t> person_of(const Folded& folded, std::uint32_t node) {
    std::vector<std::uint32_t> members;
    for (std::uint32_t i = 0; i < folded.nodes.size(); ++i)
        if (folded.partition.anchor[i] == folded.partition.anchor[node]) members.push_back(i);
    std::ranges::sort(members, {}, [&](std::uint32_t i) {
        return std::pair(folded.nodes[i].type->link_class, folded.nodes[i].rank);
    });
    return members;
}

std::vector<std::uint32_t> of_type(const Folded& folded, const std::vector<std::uint32_t>& members,
                                   const IdentifierType& type) {
    std::vector<std::uint32_t> out;
    std::ranges::copy_if(members, std::back_inserter(out),
                         [&](std::uint32_t i) { return folded.nodes[i].type->name == type.name; });
    return out;
}

// The values of the type that one person may not have so many of.
Clash values_that_meet(const Folded& folded, const Hop& hop) {
    const auto from = person_of(folded, hop.from);
    const auto to = person_of(folded, hop.to);
    for (const auto i : from) {
        const IdentifierType& type = *folded.nodes[i].type;
        if (hop.refused == Apart::unique_type ? !type.unique : type.limit == 0) continue;
        Clash clash{of_type(folded, from, type), of_type(folded, to, type)};
        if (clash.to.empty()) continue;
        if (type.unique || clash.from.size() + clash.to.size() > type.limit) return clash;
    }
    return {};
}

Clash asserted_apart(const Folded& folded, const Hop& hop) {
    const auto& anchor = folded.partition.anchor;
    Clash best;
    const auto rank = [&](std::uint32_t node) { return folded.nodes[node].rank; };
    const auto take = [&](std::uint32_t p, std::uint32_t q) {
        if (anchor[p] != anchor[hop.from] || anchor[q] != anchor[hop.to]) return;
        if (!best.from.empty() &&
            std::pair(rank(best.from[0]), rank(best.to[0])) < std::pair(rank(p), rank(q)))
            return;
        best = {{p}, {q}};
    };
    for (const auto& [p, q] : folded.asserted.cannot) {
        take(p, q);
        take(q, p);
    }
    return best;
}

}  // namespace

Explanation explain(const Folded& folded, std::uint32_t a, std::uint32_t b) {
    Explanation out;
    auto edges = forest(folded);
    out.same_person = folded.partition.anchor[a] == folded.partition.anchor[b];
    if (!out.same_person) {
        out.path = least_apart(folded, all_edges(folded, std::move(edges)), a, b);
        return out;
    }
    out.path = path_in(edges, a, b);
    if (!out.path.empty()) mark_bridges(folded, edges, out.path);
    out.weakest = weakest_of(folded.partition, out.path);
    return out;
}

Clash clash_of(const Folded& folded, const Hop& hop) {
    if (!hop.refused) return {};
    switch (*hop.refused) {
        case Apart::unique_type:
        case Apart::limit: return values_that_meet(folded, hop);
        case Apart::cannot_link: return asserted_apart(folded, hop);
        case Apart::shared:
        case Apart::blocked:
        case Apart::candidate: {
            Clash clash;
            if (out_of_play(folded, hop.from)) clash.from.push_back(hop.from);
            if (out_of_play(folded, hop.to)) clash.to.push_back(hop.to);
            return clash;
        }
        case Apart::size: return {};
    }
    return {};
}

std::optional<Apart> out_of_play(const Folded& folded, std::uint32_t node) {
    if (folded.nodes[node].blocked) return Apart::blocked;
    if (!folded.partition.active[node]) return Apart::candidate;
    if (folded.partition.shared[node]) return Apart::shared;
    return std::nullopt;
}

}  // namespace identity
