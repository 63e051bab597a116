#include "identity/persons.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace identity {
namespace {

bool is_limited(const IdentifierType& type) {
    return type.unique || type.limit > 0;
}

}  // namespace

Persons::Persons(std::span<const FoldNode> nodes, std::span<const FoldLink> links,
                 const FoldAssertions& asserted)
    : nodes_(nodes),
      seen_(nodes.size(),
            {std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min()}),
      parent_(nodes.size()),
      anchor_(nodes.size()),
      limited_(nodes.size()),
      cannot_(nodes.size()) {
    std::iota(parent_.begin(), parent_.end(), 0U);
    std::iota(anchor_.begin(), anchor_.end(), 0U);
    for (std::uint32_t i = 0; i < nodes.size(); ++i)
        if (is_limited(*nodes[i].type)) limited_[i].push_back(i);
    for (const FoldLink& link : links) {
        if (link.evidence.sources == std::vector{kHashEquality}) continue;  // has no days
        for (const auto end : {link.a, link.b}) {
            seen_[end].first = std::min(seen_[end].first, link.evidence.first_day);
            seen_[end].last = std::max(seen_[end].last, link.evidence.last_day);
        }
    }
    for (const auto& [a, b] : asserted.cannot) {
        cannot_[a].push_back(b);
        cannot_[b].push_back(a);
    }
}

std::uint32_t Persons::find(std::uint32_t node) {
    while (parent_[node] != node) {
        parent_[node] = parent_[parent_[node]];
        node = parent_[node];
    }
    return node;
}

std::optional<Apart> Persons::join(std::uint32_t a, std::uint32_t b) {
    a = find(a);
    b = find(b);
    if (a == b) return std::nullopt;
    if (asserted_apart(a, b)) return Apart::cannot_link;
    if (const auto over = over_limit(a, b)) return over;
    unite(a, b);
    return std::nullopt;
}

std::optional<Apart> Persons::must_join(std::uint32_t a, std::uint32_t b) {
    a = find(a);
    b = find(b);
    if (a == b) return std::nullopt;
    if (asserted_apart(a, b)) return Apart::cannot_link;
    unite(a, b);
    return std::nullopt;
}

void Persons::unite(std::uint32_t a, std::uint32_t b) {
    const auto better = [&](std::uint32_t x, std::uint32_t y) {
        return better_anchor(nodes_[x].type->link_class, nodes_[x].rank, nodes_[y].type->link_class,
                             nodes_[y].rank);
    };
    parent_[b] = a;
    if (better(anchor_[b], anchor_[a])) anchor_[a] = anchor_[b];
    for (auto* lists : {&limited_, &cannot_}) {
        auto& into = (*lists)[a];
        auto& from = (*lists)[b];
        into.insert(into.end(), from.begin(), from.end());
        from.clear();
    }
}

bool Persons::asserted_apart(std::uint32_t a, std::uint32_t b) {
    if (cannot_[a].size() > cannot_[b].size()) std::swap(a, b);
    return std::ranges::any_of(cannot_[a], [&](std::uint32_t node) { return find(node) == b; });
}

std::optional<Apart> Persons::over_limit(std::uint32_t a, std::uint32_t b) const {
    for (const auto mine : limited_[a]) {
        const IdentifierType& type = *nodes_[mine].type;
        const auto same = [&](std::uint32_t node) { return nodes_[node].type->name == type.name; };
        if (std::ranges::none_of(limited_[b], same)) continue;
        if (type.unique) return Apart::unique_type;
        std::vector<std::uint32_t> holders;
        std::ranges::copy_if(limited_[a], std::back_inserter(holders), same);
        std::ranges::copy_if(limited_[b], std::back_inserter(holders), same);
        if (too_many(type, holders)) return Apart::limit;
    }
    return std::nullopt;
}

// More than `limit` of them were seen within some window. A window of W days that ends on day d
// meets those seen from first to last + W - 1.
bool Persons::too_many(const IdentifierType& type,
                       const std::vector<std::uint32_t>& holders) const {
    if (holders.size() <= type.limit) return false;
    if (type.limit_window_days == 0) return true;
    return std::ranges::any_of(holders, [&](std::uint32_t opening) {
        const auto day = std::int64_t{seen_[opening].first};
        const auto meets = std::ranges::count_if(holders, [&](std::uint32_t node) {
            return seen_[node].first <= day &&
                   day <= std::int64_t{seen_[node].last} + type.limit_window_days - 1;
        });
        return meets > type.limit;
    });
}

}  // namespace identity
