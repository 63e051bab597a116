#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "consent/checkpoint.h"
#include "consent/merkle.h"

// C2SP tlog-proof: that an entry is in a log, in a text that is checked with the log's key alone.
// Pure.
namespace consent {

struct TlogProof {
    std::optional<std::string> extra = {};  // opaque, not signed
    std::uint64_t index = 0;
    std::vector<Sha256> path = {};
    std::string checkpoint = {};  // the signed note

    friend bool operator==(const TlogProof&, const TlogProof&) = default;
};

std::string render(const TlogProof& proof);

// Error invalid_argument (malformed_tlog_proof). Says nothing of whether the proof holds.
cdp::Result<TlogProof> parse_tlog_proof(std::string_view text);

// The checkpoint in which `entry` is, if the proof shows that. Errors of open_checkpoint, and
// proof_invalid.
cdp::Result<SignedCheckpoint> verify(const TlogProof& proof, std::string_view entry,
                                     std::span<const VerifierKey> known);

}  // namespace consent
