#include "consent/merkle.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>

#include "cdp/base/assert.h"

namespace consent {
namespace {

cdp::Error impossible() {
    return {.code = cdp::ErrorCode::invalid_argument,
            .reason = "proof_impossible",
            .message = "The ledger has no such entry or size."};
}

// The largest power of two below `count`, which is at least 2.
std::uint64_t split(std::uint64_t count) {
    return std::bit_floor(count - 1);
}

// `range` without one of its two sides, and the hash of that side added to the proof.
struct Path {
    TreeHasher& hasher;
    const NodeReader& read;
    std::vector<Sha256> proof = {};

    cdp::Result<void> add(LeafRange range) {
        proof.push_back(CDP_TRY(hash_of(hasher, range, read)));
        return cdp::Result<void>::ok();
    }
};

}  // namespace

struct TreeHasher::Context {
    Context() : digest(EVP_MD_fetch(nullptr, "SHA256", nullptr)), state(EVP_MD_CTX_new()) {
        CDP_ASSERT(digest != nullptr && state != nullptr);
        CDP_ASSERT(EVP_DigestInit_ex2(state, digest, nullptr) == 1);
    }
    ~Context() {
        EVP_MD_CTX_free(state);
        EVP_MD_free(digest);
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    Sha256 hash(std::span<const unsigned char> bytes) {
        Sha256 out;
        // Without a digest to fetch, this only resets the state.
        const bool done = EVP_DigestInit_ex2(state, nullptr, nullptr) == 1 &&
                          EVP_DigestUpdate(state, bytes.data(), bytes.size()) == 1 &&
                          EVP_DigestFinal_ex(state, out.data(), nullptr) == 1;
        CDP_ASSERT(done);
        return out;
    }

    EVP_MD* digest;
    EVP_MD_CTX* state;
    std::vector<unsigned char> message;  // of a leaf: one update costs less than two
};

TreeHasher::TreeHasher() : context_(std::make_unique<Context>()) {}
TreeHasher::~TreeHasher() = default;

Sha256 TreeHasher::leaf(std::string_view entry) {
    auto& message = context_->message;
    message.resize(1 + entry.size());
    message[0] = 0;
    std::ranges::copy(entry, message.begin() + 1);
    return context_->hash(message);
}

Sha256 TreeHasher::node(const Sha256& left, const Sha256& right) {
    std::array<unsigned char, 1 + 2 * sizeof(Sha256)> message;
    message[0] = 1;
    std::memcpy(message.data() + 1, left.data(), left.size());
    std::memcpy(message.data() + 1 + left.size(), right.data(), right.size());
    return context_->hash(message);
}

Sha256 TreeHasher::plain(std::string_view bytes) {
    return context_->hash({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

Sha256 empty_root() {
    return sha256({});
}

cdp::Result<Frontier> Frontier::of(std::uint64_t size, const NodeReader& read) {
    Frontier frontier;
    frontier.size_ = size;
    for (int level = 63; level >= 0; --level) {
        const auto leaves = std::uint64_t{1} << level;
        if ((size & leaves) == 0) continue;
        // The bits above this one count the leaves to the left of the node.
        const auto before = size & ~(leaves | (leaves - 1));
        frontier.edge_.push_back(
            CDP_TRY(read({.level = static_cast<unsigned>(level), .index = before >> level})));
    }
    return frontier;
}

Sha256 Frontier::root(TreeHasher& hasher) const {
    if (edge_.empty()) return empty_root();
    Sha256 root = edge_.back();
    for (auto left = edge_.rbegin() + 1; left != edge_.rend(); ++left)
        root = hasher.node(*left, root);
    return root;
}

cdp::Result<Sha256> hash_of(TreeHasher& hasher, LeafRange range, const NodeReader& read) {
    const auto count = range.end - range.begin;
    CDP_ASSERT(range.begin < range.end && is_subtree(range));
    if (std::has_single_bit(count)) {
        const auto level = static_cast<unsigned>(std::countr_zero(count));
        return read({.level = level, .index = range.begin >> level});
    }
    const auto middle = range.begin + split(count);
    const auto left = CDP_TRY(hash_of(hasher, {range.begin, middle}, read));
    const auto right = CDP_TRY(hash_of(hasher, {middle, range.end}, read));
    return hasher.node(left, right);
}

cdp::Result<std::vector<Sha256>> prove_inclusion(TreeHasher& hasher, std::uint64_t index,
                                                 std::uint64_t size, const NodeReader& read) {
    if (index >= size) return impossible();
    Path path{.hasher = hasher, .read = read};
    LeafRange range{.begin = 0, .end = size};
    while (range.end - range.begin > 1) {
        const auto middle = range.begin + split(range.end - range.begin);
        const LeafRange left{range.begin, middle};
        const LeafRange right{middle, range.end};
        CDP_CHECK(path.add(index < middle ? right : left));
        range = index < middle ? left : right;
    }
    // Found from the root down, given from the leaf up.
    std::ranges::reverse(path.proof);
    return std::move(path.proof);
}

cdp::Result<std::vector<Sha256>> prove_consistency(TreeHasher& hasher, Growth sizes,
                                                   const NodeReader& read) {
    if (sizes.first == 0 || sizes.first > sizes.second) return impossible();
    Path path{.hasher = hasher, .read = read};
    LeafRange range{.begin = 0, .end = sizes.second};
    while (range.end != sizes.first) {
        const auto middle = range.begin + split(range.end - range.begin);
        const LeafRange left{range.begin, middle};
        const LeafRange right{middle, range.end};
        const bool in_left = sizes.first <= middle;
        CDP_CHECK(path.add(in_left ? right : left));
        range = in_left ? left : right;
    }
    // The first tree's root is known to who verifies, if it is a node of the second.
    if (range.begin != 0) CDP_CHECK(path.add(range));
    std::ranges::reverse(path.proof);
    return std::move(path.proof);
}

}  // namespace consent
