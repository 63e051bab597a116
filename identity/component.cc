#include "identity/component.h"

#include <algorithm>
#include <unordered_set>

#include "identity/damage.h"
#include "identity/links.h"
#include "identity/shared.h"
#include "storage/key.h"

namespace identity {
namespace {

// Over so many times the bound, identifiers are not walked through a class: it joins far too many.
constexpr std::size_t kWalkTimes = 20;

// So many neighbours are looked at before an identifier with many more is asked whether it is
// shared.
constexpr std::size_t kProbe = 2 * kNeighboursMax;

LinkClass one_better(LinkClass link_class) {
    return static_cast<LinkClass>(static_cast<std::uint8_t>(link_class) - 1);
}

}  // namespace

std::string member_key(const cdp::Token& anchor, const cdp::Token& member) {
    return storage::KeyWriter(storage::Space::member, anchor).id(member).str();
}

cdp::Result<void> Component::load(std::span<const cdp::Token> start) {
    if (trusting_ == Trusting::growth) {
        for (const auto& token : start) {
            CDP_CHECK(walk(token));
        }
    } else {
        for (;;) {
            for (const auto& token : start) CDP_CHECK(walk(token));
            if (!too_many() || cut_ == LinkClass::assertion) break;
            reset();
            cut_ = one_better(cut_);
        }
    }
    keep_apart();
    return cdp::Result<void>::ok();
}

void Component::reset() {
    members_.clear();
    index_.clear();
    frontier_.clear();
    linked_.clear();
    links_.clear();
    asserted_ = {};
}

bool Component::too_many() const {
    return members_.size() > kWalkTimes * rules_.bounds.identifiers;
}

cdp::Result<void> Component::walk(const cdp::Token& start) {
    enqueue(CDP_TRY(visit(start)));
    while (!frontier_.empty()) {
        const auto at = frontier_.front();
        frontier_.pop_front();
        CDP_CHECK(expand(at));
        if (trusting_ == Trusting::afresh && too_many()) frontier_.clear();
    }
    return cdp::Result<void>::ok();
}

std::optional<std::uint32_t> Component::find(const cdp::Token& token) const {
    const auto known = index_.find(token);
    if (known == index_.end()) return std::nullopt;
    return known->second;
}

cdp::Result<std::uint32_t> Component::visit(const cdp::Token& token) {
    if (const auto known = find(token)) return *known;
    const auto row = CDP_TRY(transaction_.get(node_key(token)));
    if (!row) return damaged("a link without its node");
    auto node = decode_node(*row);
    if (!node) return damaged("a node that cannot be read");
    Member member{token, std::move(*node)};
    if (member.node.asserted) member.standing = CDP_TRY(Assertions::standing(transaction_, token));
    member.blocked = member.standing.blocked;
    member.shared = member.standing.shared || (trusting_ == Trusting::growth && member.node.shared);
    const auto at = static_cast<std::uint32_t>(members_.size());
    members_.push_back(std::move(member));
    index_.emplace(token, at);
    return at;
}

void Component::enqueue(std::uint32_t at) {
    if (members_[at].expanded) return;
    members_[at].expanded = true;
    frontier_.push_back(at);
}

LinkClass Component::level_of(const Member& member) const {
    return trusting_ == Trusting::growth ? member.node.level : cut_;
}

cdp::Result<void> Component::expand(std::uint32_t at) {
    CDP_CHECK(walk_assertions(at));
    // A blocked identifier joins nobody, and neither does one that is shared; it may have any
    // number of links.
    if (members_[at].blocked || members_[at].shared) return cdp::Result<void>::ok();
    const auto adjacency = CDP_TRY(links_of(at));
    if (members_[at].shared && trusting_ == Trusting::afresh) return cdp::Result<void>::ok();
    const auto level = level_of(members_[at]);
    for (const auto& token : adjacency.order) {
        const auto other = CDP_TRY(visit(token));
        const auto& evidence = adjacency.evidence.at(token);
        if (link_once(at, other)) links_.push_back({at, other, evidence});
        if (members_[other].blocked) continue;
        if (trusting_ == Trusting::growth && members_[other].shared) continue;
        if (evidence.link_class <= level) enqueue(other);
    }
    // Whether a candidate of an alias call counts depends on its twin, wherever that is.
    if (const auto twin = members_[at].node.twin) enqueue(CDP_TRY(visit(*twin)));
    return cdp::Result<void>::ok();
}

cdp::Result<void> Component::walk_assertions(std::uint32_t at) {
    const auto standing = members_[at].standing;
    for (const auto& token : standing.must) {
        const auto other = CDP_TRY(visit(token));
        enqueue(other);
        const auto pair = std::minmax(at, other);
        if (std::ranges::find(asserted_.must, std::pair(pair.first, pair.second)) ==
            asserted_.must.end())
            asserted_.must.emplace_back(pair.first, pair.second);
    }
    return cdp::Result<void>::ok();
}

// Cannot-links lead nowhere; they matter once both ends are here.
void Component::keep_apart() {
    for (std::uint32_t at = 0; at < members_.size(); ++at)
        for (const auto& token : members_[at].standing.cannot)
            if (const auto other = find(token); other && at < *other)
                asserted_.cannot.emplace_back(at, *other);
}

bool Component::link_once(std::uint32_t a, std::uint32_t b) {
    const auto pair = std::minmax(a, b);
    return linked_.emplace(pair.first, pair.second).second;
}

// A type that can be shared needs all its neighbours counted; they are few, or it is shared. Of
// others, only the classes that join.
cdp::Result<Component::Adjacency> Component::links_of(std::uint32_t at) {
    const Member member = members_[at];
    const bool count = can_be_shared(rules_.type_of(member.node.type));
    const auto weakest = count ? LinkClass::probabilistic : level_of(member);
    Adjacency out;
    bool probed = false;
    std::optional<cdp::Error> error;
    const auto take = [&](const cdp::Token& to, const LinkDays& row) {
        LinkDays left = row;
        for (const auto& range : rules_.retractions) left.days &= ~range.days_of(row);
        for (const auto& [other, range] : member.standing.retracted)
            if (other == to) left.days &= ~range.days_of(row);
        if (left.days == 0) return true;
        const auto [seen, fresh] = out.evidence.try_emplace(to, evidence_of(left));
        if (!fresh) {
            // Rows come best class first. What the weaker ones add may lie behind the cut, so it
            // counts nowhere.
            if (row.link_class == seen->second.link_class) join(seen->second, evidence_of(left));
            return true;
        }
        out.order.push_back(to);
        if (!count || probed || out.order.size() < kProbe || trusting_ == Trusting::growth)
            return true;
        probed = true;
        const auto proved = proves_shared(member, out);
        if (!proved) error = proved.error();
        if (!proved || !*proved) return !error;
        members_[at].shared = true;
        return false;
    };
    CDP_CHECK(scan_links(transaction_, member.token, weakest, take));
    if (error) return *error;
    if (trusting_ == Trusting::afresh && count && !members_[at].shared)
        members_[at].shared = CDP_TRY(proves_shared(member, out));
    return out;
}

cdp::Result<bool> Component::proves_shared(const Member& member, const Adjacency& adjacency) {
    if (!member.node.seen) return false;
    Neighbours neighbours;
    const IdentifierType& type = rules_.type_of(member.node.type);
    for (const auto& token : adjacency.order) {
        const auto row = CDP_TRY(transaction_.get(node_key(token)));
        const auto node = row ? decode_node(*row) : std::nullopt;
        if (!node) return damaged("a link without its node");
        const bool blocked =
            node->asserted && CDP_TRY(Assertions::standing(transaction_, token)).blocked;
        if (node->seen && !blocked) neighbours.add(rules_.type_of(node->type).link_class);
        if (neighbours.make_shared(type)) return true;
    }
    return false;
}

std::vector<FoldNode> Component::nodes() const {
    std::vector<FoldNode> out;
    for (const Member& member : members_) {
        FoldNode node{.rank = member.node.rank,
                      .type = &rules_.type_of(member.node.type),
                      .seen = member.node.seen,
                      .shared = member.shared || (!member.expanded && member.node.shared),
                      .blocked = member.blocked,
                      .level = level_of(member)};
        if (member.node.twin)
            if (const auto twin = find(*member.node.twin))
                node.twin = static_cast<std::int32_t>(*twin);
        out.push_back(node);
    }
    return out;
}

Node Component::placed(const Partition& partition, std::uint32_t at) const {
    const Member& best = members_[partition.anchor[at]];
    Node node = members_[at].node;
    const bool alone = partition.anchor[at] == at;
    node.link_class = rules_.type_of(node.type).link_class;
    node.shared = partition.shared[at];
    node.blocked = members_[at].blocked;
    node.active = partition.active[at];
    node.contested = partition.contested[at];
    node.level = partition.level[at];
    node.anchor = best.token;
    node.anchor_rank = best.node.rank;
    node.anchor_class = rules_.type_of(best.node.type).link_class;
    node.component = alone ? partition.component[at] : 1;
    node.component_links = alone ? partition.component_links[at] : 0;
    return node;
}

cdp::Result<void> Component::write(const Partition& partition, const Cause& cause,
                                   std::vector<Move>& moves) {
    for (std::uint32_t at = 0; at < members_.size(); ++at) {
        if (!members_[at].expanded) continue;
        const Node& before = members_[at].node;
        const Node after = placed(partition, at);
        const auto moved = CDP_TRY(move(partition, at, after, cause));
        if (moved) moves.push_back(*moved);
        if (after != before) transaction_.put(node_key(members_[at].token), encode(after));
    }
    return cdp::Result<void>::ok();
}

// Moves one membership, and remembers what it was; nullopt when it stays.
cdp::Result<std::optional<Move>> Component::move(const Partition& partition, std::uint32_t at,
                                                 const Node& after, const Cause& cause) {
    const auto& [token, before] = std::tie(members_[at].token, members_[at].node);
    const bool was = before.active && before.placed();
    if (was == after.active && before.anchor == after.anchor) return std::optional<Move>{};
    if (!was && !after.active) return std::optional<Move>{};
    Move move{token, {}, {}, successor_of(partition, at), {}, {}};
    if (was) {
        const auto key = member_key(before.anchor, token);
        const auto row = CDP_TRY(transaction_.get(key));
        const auto since = row ? decode_since(*row) : std::nullopt;
        if (!since) return damaged("a member row that cannot be read");
        write_history(transaction_, token, before.person(), *since, cause.time);
        transaction_.erase(key);
        move.from = before.person();
        move.from_anchor = before.anchor;
    }
    if (after.active) {
        transaction_.put(member_key(after.anchor, token), encode_since(cause.time));
        move.to = after.person();
        move.to_anchor = after.anchor;
    }
    return std::optional(move);
}

// Where somebody who asks for the identifier's old person is sent: a candidate that does not count
// any more stands for its twin.
cdp::PersonId Component::successor_of(const Partition& partition, std::uint32_t at) const {
    auto to = partition.anchor[at];
    if (!partition.active[at] && members_[at].node.twin)
        if (const auto twin = find(*members_[at].node.twin)) to = partition.anchor[*twin];
    return cdp::PersonId{members_[to].node.rank.bytes};
}

std::vector<cdp::Token> Component::left_behind(const Partition& partition) const {
    std::vector<cdp::Token> out;
    for (std::uint32_t at = 0; at < members_.size(); ++at) {
        const Node& before = members_[at].node;
        const bool joined = before.placed() && before.active && !before.shared && !before.blocked;
        const bool joins = partition.active[at] && !partition.shared[at] && !members_[at].blocked;
        // Whoever was joined through one that is asserted to join nobody is its assertion's
        // concern: they may be a hundred thousand.
        const auto& standing = members_[at].standing;
        const bool asserted = standing.blocked || standing.shared;
        if (members_[at].expanded && joined && !joins && !asserted)
            out.push_back(members_[at].token);
    }
    return out;
}

bool Component::may_rise(const Partition& partition) const {
    return !left_behind(partition).empty() &&
           std::ranges::any_of(members_, [](const Member& member) {
               return member.node.level != LinkClass::probabilistic;
           });
}

namespace {

// Whether a person has more members than those `incoming`.
cdp::Result<bool> has_others(storage::Transaction& transaction, const cdp::Token& anchor,
                             std::size_t incoming) {
    std::size_t members = 0;
    CDP_CHECK(transaction.scan(
        storage::KeyWriter(storage::Space::member, anchor).str(),
        [&](std::string_view, std::string_view) { return ++members <= incoming; }));
    return members > incoming;
}

// Says what the moves mean for persons, after all memberships are written.
cdp::Result<void> announce(storage::Transaction& transaction, const std::vector<Move>& moves,
                           const Cause& cause) {
    std::map<cdp::PersonId, std::pair<cdp::Token, std::size_t>> incoming;
    for (const Move& move : moves) {
        if (move.to) ++incoming.try_emplace(*move.to, move.to_anchor, 0U).first->second.second;
        if (move.from) incoming.try_emplace(*move.from, move.from_anchor, 0U);
    }
    std::set<cdp::PersonId> stayed;
    for (const auto& [person, arrived] : incoming)
        if (CDP_TRY(has_others(transaction, arrived.first, arrived.second))) stayed.insert(person);
    for (const auto& change : changes_of(moves, stayed, cause))
        transaction.append(change_log(), encode(change));
    return cdp::Result<void>::ok();
}

}  // namespace

cdp::Result<void> refold(storage::Transaction& transaction, const Rules& rules,
                         std::span<const cdp::Token> start, const Cause& cause) {
    Component component(transaction, rules, Trusting::growth);
    CDP_CHECK(component.load(start));
    const auto partition = component.folded();
    if (!component.may_rise(partition)) {
        std::vector<Move> moves;
        CDP_CHECK(component.write(partition, cause, moves));
        return announce(transaction, moves, cause);
    }
    std::vector<cdp::Token> all;
    for (const auto& member : component.members()) all.push_back(member.token);
    CDP_TRY(refold_afresh(transaction, rules, all, cause));
    return cdp::Result<void>::ok();
}

cdp::Result<std::vector<cdp::Token>> refold_afresh(storage::Transaction& transaction,
                                                   const Rules& rules,
                                                   std::span<const cdp::Token> start,
                                                   const Cause& cause) {
    std::unordered_set<cdp::Token> done;
    std::vector<Move> moves;
    std::vector<cdp::Token> todo(start.begin(), start.end());
    for (std::size_t next = 0; next < todo.size(); ++next) {
        const auto token = todo[next];
        if (done.contains(token)) continue;
        Component component(transaction, rules, Trusting::afresh);
        CDP_CHECK(component.load({&token, 1}));
        const auto partition = component.folded();
        for (const auto& left : component.left_behind(partition))
            CDP_CHECK(scan_links(transaction, left, LinkClass::probabilistic,
                                 [&](const cdp::Token& to, const LinkDays&) {
                                     todo.push_back(to);
                                     return true;
                                 }));
        CDP_CHECK(component.write(partition, cause, moves));
        for (const auto& member : component.members())
            if (member.expanded) done.insert(member.token);
    }
    CDP_CHECK(announce(transaction, moves, cause));
    return std::vector<cdp::Token>(done.begin(), done.end());
}

}  // namespace identity
