#include "consent/disclosure_proof.h"

namespace consent {
namespace {

// The whole nodes over some leaves.
NodeReader nodes_over(TreeHasher& hasher, const std::vector<Sha256>& leaves) {
    return [&hasher, &leaves](NodeAt at) -> cdp::Result<Sha256> {
        std::vector<Sha256> row(
            leaves.begin() + static_cast<std::ptrdiff_t>(at.index << at.level),
            leaves.begin() + static_cast<std::ptrdiff_t>((at.index + 1) << at.level));
        while (row.size() > 1) {
            for (std::size_t i = 0; i < row.size() / 2; ++i)
                row[i] = hasher.node(row[2 * i], row[2 * i + 1]);
            row.resize(row.size() / 2);
        }
        return row.front();
    };
}

}  // namespace

Sha256 root_of(TreeHasher& hasher, const std::vector<Sha256>& leaves) {
    if (leaves.empty()) return empty_root();
    Frontier frontier;
    for (const Sha256& leaf : leaves) frontier.append(hasher, leaf);
    return frontier.root(hasher);
}

cdp::Result<std::vector<Sha256>> prove_row(TreeHasher& hasher, const std::vector<Sha256>& leaves,
                                           std::uint32_t index) {
    return prove_inclusion(hasher, index, leaves.size(), nodes_over(hasher, leaves));
}

bool verify_row(TreeHasher& hasher, const DisclosureRow& row, std::uint32_t index,
                const Batch& batch, const std::vector<Sha256>& proof) {
    return verify(hasher,
                  Inclusion{.index = index,
                            .size = batch.rows,
                            .leaf = hasher.leaf(leaf_entry(row)),
                            .root = batch.root},
                  proof);
}

}  // namespace consent
