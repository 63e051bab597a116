#include "identity/component.h"

#include <algorithm>
#include <deque>

#include "storage/key.h"

namespace identity {
namespace {

// Walks the stored graph and turns it into the fold's input.
class Component {
public:
    Component(storage::Transaction& transaction, const TypeOf& type_of)
        : transaction_(transaction), type_of_(type_of) {}

    cdp::Result<void> load(std::span<const cdp::Token> start) {
        for (const auto& token : start) CDP_TRY(visit(token));
        while (!frontier_.empty()) {
            const auto at = frontier_.front();
            frontier_.pop_front();
            CDP_CHECK(expand(at));
        }
        return cdp::Result<void>::ok();
    }

    cdp::Result<void> write(const Partition& partition) {
        // An uncontested component folds the same whatever the order of its links.
        const bool contested = !partition.refused.empty();
        for (std::uint32_t i = 0; i < members_.size(); ++i) {
            if (!members_[i].expanded) continue;
            const Member& best = members_[partition.anchor[i]];
            Node node = members_[i].node;
            node.shared = partition.shared[i];
            node.active = partition.active[i];
            node.contested = contested;
            node.anchor = best.token;
            node.anchor_rank = best.node.rank;
            node.anchor_class = best.node.link_class;
            if (node == members_[i].node) continue;
            move_membership(members_[i], node);
            transaction_.put(node_key(members_[i].token), encode(node));
        }
        return cdp::Result<void>::ok();
    }

    std::vector<FoldNode> fold_nodes() const {
        std::vector<FoldNode> nodes;
        for (const Member& member : members_) {
            FoldNode node{member.node.rank, &type_of_(member.node.type), member.node.seen, -1,
                          member.node.shared};
            if (member.node.twin) {
                const auto twin = index_.find(*member.node.twin);
                if (twin != index_.end()) node.twin = static_cast<std::int32_t>(twin->second);
            }
            nodes.push_back(node);
        }
        return nodes;
    }
    const std::vector<FoldLink>& links() const { return links_; }

private:
    struct Member {
        cdp::Token token;
        Node node;
        bool expanded = false;
    };

    cdp::Result<std::uint32_t> visit(const cdp::Token& token) {
        if (const auto known = index_.find(token); known != index_.end()) return known->second;
        const auto row = CDP_TRY(transaction_.get(node_key(token)));
        if (!row) return damaged("a link without its node");
        auto node = decode_node(*row);
        if (!node) return damaged("a node that cannot be read");
        const auto at = static_cast<std::uint32_t>(members_.size());
        // A shared identifier joins nobody, and it may have any number of links.
        if (!node->shared) frontier_.push_back(at);
        members_.push_back({token, std::move(*node), false});
        index_.emplace(token, at);
        return at;
    }

    cdp::Result<void> expand(std::uint32_t at) {
        members_[at].expanded = true;
        const auto prefix = storage::KeyWriter(storage::Space::link, members_[at].token).str();
        std::vector<std::pair<cdp::Token, Evidence>> found;
        bool readable = true;
        CDP_CHECK(transaction_.scan(prefix, [&](std::string_view key, std::string_view value) {
            storage::KeyReader reader(key);
            const auto other = reader.id<cdp::Token>();
            auto evidence = decode_evidence(value);
            readable = reader.ok() && evidence.has_value();
            if (readable) found.emplace_back(other, std::move(*evidence));
            return readable;
        }));
        if (!readable) return damaged("a link that cannot be read");
        for (auto& [other, evidence] : found) {
            const auto neighbour = CDP_TRY(visit(other));
            // A link is stored under both ends; it is taken when the first of them is expanded.
            if (members_[neighbour].expanded) continue;
            links_.push_back({at, neighbour, std::move(evidence)});
        }
        // Whether a candidate of an alias call counts depends on its twin, wherever that is.
        if (const auto twin = members_[at].node.twin) CDP_TRY(visit(*twin));
        return cdp::Result<void>::ok();
    }

    void move_membership(const Member& before, const Node& after) {
        if (before.node.active && (!after.active || before.node.anchor != after.anchor))
            transaction_.erase(member_key(before.node.anchor, before.token));
        if (after.active) transaction_.put(member_key(after.anchor, before.token), "");
    }

    storage::Transaction& transaction_;
    const TypeOf& type_of_;
    std::vector<Member> members_;
    std::unordered_map<cdp::Token, std::uint32_t> index_;
    std::deque<std::uint32_t> frontier_;
    std::vector<FoldLink> links_;
};

}  // namespace

cdp::Error damaged(const char* what) {
    return {.code = cdp::ErrorCode::corruption,
            .reason = "store_damaged",
            .message = "Stored identity data is damaged.",
            .detail = what};
}

std::string link_key(const cdp::Token& from, const cdp::Token& to) {
    return storage::KeyWriter(storage::Space::link, from).id(to).str();
}

std::string member_key(const cdp::Token& anchor, const cdp::Token& member) {
    return storage::KeyWriter(storage::Space::member, anchor).id(member).str();
}

cdp::Result<void> refold(storage::Transaction& transaction, const TypeOf& type_of,
                         std::span<const cdp::Token> start) {
    Component component(transaction, type_of);
    CDP_CHECK(component.load(start));
    const auto nodes = component.fold_nodes();
    return component.write(fold(nodes, component.links()));
}

}  // namespace identity
