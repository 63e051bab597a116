#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "consent/sha256.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

// That subject keys went from one epoch to another, and the keys of the former ended.
struct EndedEpoch {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::uint64_t rewrapped = 0;  // keys
    // Identifiers erased since the change before, and keys found that nothing could unwrap: what
    // ended for good with the former epoch.
    std::uint64_t gone = 0;
    Timestamp began{};
    Timestamp ended{};
    consent::Sha256 salt = {};  // of its entry in the ledger

    // What the ledger's entry commits to.
    std::string encode() const;
    consent::Sha256 commitment() const;
    friend bool operator==(const EndedEpoch&, const EndedEpoch&) = default;
};

// Notes it, with its entry in the ledger: the transaction's first append.
void append_ended_epoch(storage::Transaction& transaction, const storage::Vault& vault,
                        const EndedEpoch& ended);

// Oldest first; false stops.
Result<void> each_ended_epoch(const storage::Snapshot& snapshot,
                              const std::function<bool(const Result<EndedEpoch>&)>& visit);
Result<std::vector<EndedEpoch>> ended_epochs(const storage::Snapshot& snapshot);

// The last epoch under which a key that was destroyed at some moment may have been wrapped: when it
// has ended no copy of the key can be used any more.
struct LastEpoch {
    std::uint32_t number = 0;
    std::optional<Timestamp> ended = {};  // absent: it has not
};
Result<LastEpoch> last_epoch_before(const storage::Snapshot& snapshot, Timestamp destroyed);

}  // namespace cdp
