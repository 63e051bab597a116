#include <bit>

#include "consent/merkle.h"

namespace consent {
namespace {

// The way up from the end of a subtree to the root of a tree, as RFC 9162 §2.1.4.2 walks it, here
// for subtrees that start anywhere: `begin` and `end` are the nodes that hold the subtree's first
// and last leaf, `last` the one that holds the tree's last, all on the level reached.
struct Climb {
    std::uint64_t begin;
    std::uint64_t end;
    std::uint64_t last;

    bool in_one_node() const { return begin == end; }
    // Nothing of the tree stands to the right on this level, or a left sibling does.
    bool joins_left() const { return end % 2 == 1 || end == last; }

    void up() {
        begin >>= 1;
        end >>= 1;
        last >>= 1;
    }
    // A node without a right sibling is itself the node above.
    void skip_lone() {
        while (end % 2 == 0 && end != 0) up();
    }
};

}  // namespace

bool is_subtree(LeafRange range) {
    if (range.begin > range.end) return false;
    const auto count = range.end - range.begin;
    if (count == 0) return true;
    // No power of two that large fits 64 bits, nor does a subtree that starts after it.
    if (count > std::uint64_t{1} << 63) return range.begin == 0;
    return range.begin % std::bit_ceil(count) == 0;
}

// RFC 9162 §2.1.3.2.
bool verify(TreeHasher& hasher, const Inclusion& claim, std::span<const Sha256> proof) {
    if (claim.index >= claim.size) return false;
    auto at = claim.index;
    auto last = claim.size - 1;
    Sha256 hash = claim.leaf;
    for (const Sha256& sibling : proof) {
        if (last == 0) return false;
        if (at % 2 == 1 || at == last) {
            hash = hasher.node(sibling, hash);
            while (at % 2 == 0 && at != 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = hasher.node(hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && hash == claim.root;
}

bool verify(TreeHasher& hasher, const SubtreeInclusion& claim, std::span<const Sha256> proof) {
    if (!is_subtree(claim.subtree) || claim.index < claim.subtree.begin) return false;
    return verify(hasher,
                  Inclusion{.index = claim.index - claim.subtree.begin,
                            .size = claim.subtree.end - claim.subtree.begin,
                            .leaf = claim.leaf,
                            .root = claim.root},
                  proof);
}

bool verify(TreeHasher& hasher, const Consistency& claim, std::span<const Sha256> proof) {
    if (claim.sizes.first == 0) return false;
    return verify(hasher,
                  SubtreeConsistency{.subtree = {.begin = 0, .end = claim.sizes.first},
                                     .size = claim.sizes.second,
                                     .subtree_root = claim.first_root,
                                     .root = claim.second_root},
                  proof);
}

bool verify(TreeHasher& hasher, const SubtreeConsistency& claim, std::span<const Sha256> proof) {
    const auto [begin, end] = claim.subtree;
    if (!is_subtree(claim.subtree) || end > claim.size) return false;
    if (begin == end) return proof.empty() && claim.subtree_root == empty_root();

    Climb climb{.begin = begin, .end = end - 1, .last = claim.size - 1};
    // Up to the largest whole node at the subtree's end: the proof starts there.
    const bool at_the_end = climb.end == climb.last;
    while (!climb.in_one_node() && (at_the_end || climb.end % 2 == 1)) climb.up();

    if (!climb.in_one_node() && proof.empty()) return false;
    Sha256 small = climb.in_one_node() ? claim.subtree_root : proof.front();
    Sha256 large = small;
    for (const Sha256& next : proof.subspan(climb.in_one_node() ? 0 : 1)) {
        if (climb.last == 0) return false;
        if (climb.joins_left()) {
            if (!climb.in_one_node()) small = hasher.node(next, small);
            large = hasher.node(next, large);
            climb.skip_lone();
        } else {
            large = hasher.node(large, next);
        }
        climb.up();
    }
    // Both must hold: a proof that says nothing of one of the trees proves nothing.
    return climb.last == 0 && small == claim.subtree_root && large == claim.root;
}

}  // namespace consent
