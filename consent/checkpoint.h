#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "consent/note.h"
#include "consent/sha256.h"

// C2SP tlog-checkpoint: what a log says its tree is at some size. Pure.
namespace consent {

struct Checkpoint {
    std::string origin = {};
    std::uint64_t size = 0;
    Sha256 root = {};

    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// The text of the note that the log signs.
std::string render(const Checkpoint& checkpoint);

// Extension lines, which others may write, are read over. Error invalid_argument
// (malformed_checkpoint).
cdp::Result<Checkpoint> parse_checkpoint(std::string_view text);

struct SignedCheckpoint {
    Checkpoint checkpoint = {};
    std::string note = {};  // as served
};

// A checkpoint whose signer has the name of its origin. Errors of open_note and parse_checkpoint,
// and origin_foreign.
cdp::Result<SignedCheckpoint> open_checkpoint(std::string_view note,
                                              std::span<const VerifierKey> known);

// A number as these formats write it: digits without a leading zero.
std::optional<std::uint64_t> parse_decimal(std::string_view text);
std::optional<Sha256> parse_hash(std::string_view base64);

}  // namespace consent
