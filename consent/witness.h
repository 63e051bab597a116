#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "cdp/base/result.h"
#include "consent/checkpoint.h"
#include "consent/note.h"

// Looks at a published ledger from outside, with nothing but its key and what it said last time.
namespace consent {

// What the log serves at a path below its URL. An Error ends the look; it says nothing against the
// log.
using LedgerFetch = std::function<cdp::Result<std::string>(const std::string& path)>;

struct Witnessed {
    SignedCheckpoint now = {};
    std::uint64_t entries = 0;  // that were new, each hashed into the tree
};

// That the log's checkpoint is signed, that the tree it served then still leads to the checkpoint
// seen last, and that this tree with the new entries, as served, is the one that is signed now.
//
// Errors, which are the log's fault and shall be told to others: conflict (ledger_rolled_back: it
// has fewer entries than it had; ledger_forked: it is another tree than it was; ledger_untrue: its
// entries, tiles and checkpoint do not fit each other), and those of open_checkpoint.
cdp::Result<Witnessed> witness(const LedgerFetch& fetch, std::span<const VerifierKey> known,
                               const std::optional<SignedCheckpoint>& last);

}  // namespace consent
