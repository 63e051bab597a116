#pragma once

#include <cstdint>
#include <vector>

#include "cdp/base/result.h"
#include "consent/disclosure.h"
#include "consent/merkle.h"

// That somebody was in a batch of disclosures, shown without the others. Pure.
namespace consent {

// The root over the leaves, in order.
Sha256 root_of(TreeHasher& hasher, const std::vector<Sha256>& leaves);

// The first level of a row's proof: that its leaf is in the batch's root. The second is that of the
// batch's entry in a checkpoint. Error invalid_argument unless index < leaves.
cdp::Result<std::vector<Sha256>> prove_row(TreeHasher& hasher, const std::vector<Sha256>& leaves,
                                           std::uint32_t index);
bool verify_row(TreeHasher& hasher, const DisclosureRow& row, std::uint32_t index,
                const Batch& batch, const std::vector<Sha256>& proof);

}  // namespace consent
