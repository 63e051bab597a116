#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "consent/sha256.h"

// The Merkle tree of RFC 6962 and RFC 9162 over SHA-256: hashes, proofs and what they prove. Pure.
//
// A tree over n leaves is the node over its first k leaves, k the largest power of two below n, and
// the rest; nothing is padded. `level` counts from the leaves, so that the node (level, index)
// stands over the 2^level leaves from index * 2^level on.
namespace consent {

// Hashes leaves and nodes with one OpenSSL context, which is what makes it fast. For one thread at
// a time.
class TreeHasher {
public:
    TreeHasher();
    ~TreeHasher();
    TreeHasher(const TreeHasher&) = delete;
    TreeHasher& operator=(const TreeHasher&) = delete;

    // SHA-256(0x00 ‖ entry).
    Sha256 leaf(std::string_view entry);
    // SHA-256(0x01 ‖ left ‖ right).
    Sha256 node(const Sha256& left, const Sha256& right);
    // SHA-256(bytes), for what is hashed beside the tree.
    Sha256 plain(std::string_view bytes);

private:
    struct Context;
    std::unique_ptr<Context> context_;
};

// The root of the tree without leaves: SHA-256 of nothing.
Sha256 empty_root();

// From `begin` up to but not including `end`.
struct LeafRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

struct NodeAt {
    unsigned level = 0;
    std::uint64_t index = 0;

    friend auto operator<=>(const NodeAt&, const NodeAt&) = default;
};

// The hash of a node all of whose leaves are there.
using NodeReader = std::function<cdp::Result<Sha256>(NodeAt)>;

// The nodes on the right edge of a growing tree: all that appending needs.
class Frontier {
public:
    Frontier() = default;

    // That of a tree of `size` leaves, whose whole nodes `read` knows.
    static cdp::Result<Frontier> of(std::uint64_t size, const NodeReader& read);

    // Calls `made` with each node that became whole, the leaf itself first.
    template <typename Made>
    void append(TreeHasher& hasher, const Sha256& leaf, const Made& made) {
        NodeAt at{.level = 0, .index = size_};
        Sha256 hash = leaf;
        made(at, hash);
        for (; at.index % 2 == 1; made(at, hash)) {
            hash = hasher.node(edge_.back(), hash);
            edge_.pop_back();
            at = {.level = at.level + 1, .index = at.index / 2};
        }
        edge_.push_back(hash);
        ++size_;
    }
    void append(TreeHasher& hasher, const Sha256& leaf) {
        append(hasher, leaf, [](NodeAt, const Sha256&) {});
    }

    std::uint64_t size() const { return size_; }
    Sha256 root(TreeHasher& hasher) const;

private:
    std::vector<Sha256> edge_;  // whole subtrees, largest first
    std::uint64_t size_ = 0;
};

// The hash of a non-empty range that is a node of the tree: all of it, or what stands below one
// side of a split.
cdp::Result<Sha256> hash_of(TreeHasher& hasher, LeafRange range, const NodeReader& read);

// The proofs of RFC 9162 §2.1.3.1 and §2.1.4.1. Error invalid_argument (proof_impossible) unless
// index < size, and 0 < first <= second.
cdp::Result<std::vector<Sha256>> prove_inclusion(TreeHasher& hasher, std::uint64_t index,
                                                 std::uint64_t size, const NodeReader& read);
struct Growth {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
};
cdp::Result<std::vector<Sha256>> prove_consistency(TreeHasher& hasher, Growth sizes,
                                                   const NodeReader& read);

// What a proof must show: that `leaf` stands at `index` of the tree with this size and root.
struct Inclusion {
    std::uint64_t index = 0;
    std::uint64_t size = 0;
    Sha256 leaf = {};
    Sha256 root = {};
};
bool verify(TreeHasher& hasher, const Inclusion& claim, std::span<const Sha256> proof);

// That the second tree holds the leaves of the first, in place. The first is not empty: every tree
// grows out of that one, and a proof of it would say nothing.
struct Consistency {
    Growth sizes = {};
    Sha256 first_root = {};
    Sha256 second_root = {};
};
bool verify(TreeHasher& hasher, const Consistency& claim, std::span<const Sha256> proof);

// A range can be a subtree when it starts at a multiple of the smallest power of two that is not
// below its length.
bool is_subtree(LeafRange range);

// That `leaf` stands at `index` (counted in the whole tree) of the subtree with this root.
struct SubtreeInclusion {
    std::uint64_t index = 0;
    LeafRange subtree = {};
    Sha256 leaf = {};
    Sha256 root = {};
};
bool verify(TreeHasher& hasher, const SubtreeInclusion& claim, std::span<const Sha256> proof);

// That the tree holds the subtree. An empty subtree is in every tree.
struct SubtreeConsistency {
    LeafRange subtree = {};
    std::uint64_t size = 0;  // of the tree
    Sha256 subtree_root = {};
    Sha256 root = {};
};
bool verify(TreeHasher& hasher, const SubtreeConsistency& claim, std::span<const Sha256> proof);

}  // namespace consent
