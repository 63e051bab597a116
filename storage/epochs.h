#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "storage/keyring.h"
#include "storage/store.h"

// Which epochs wrap the subject keys of a store, and the steps from one to the next;
// docs/decisions/0027.
namespace storage {

class Vault;

// As the store has it. The first epoch of a folder is 1, and has no row until it ends.
struct Epochs {
    enum class Stage : std::uint8_t {
        rest = 0,
        rewrapping = 1,  // rows may be under `lowest` and any up to `current`
        proven = 2,      // all rows are under `current`; older keys are on their way out
    };

    std::uint32_t former = 0;  // the lowest when the change began; 0: there never was one
    std::uint32_t lowest = 1;
    std::uint32_t current = 1;
    Stage stage = Stage::rest;
    cdp::Timestamp since{};  // when `current` began; 0: nobody noted it

    friend bool operator==(const Epochs&, const Epochs&) = default;
};

// Every transaction that wraps a key watches this group, so that it conflicts with the commit that
// begins an epoch.
const std::string& epochs_row();

cdp::Result<Epochs> read_epochs(const Snapshot& snapshot);
void put_epochs(Transaction& transaction, const Epochs& epochs);

// The row says what the keyring has already: epochs the store does not know begin now. Before
// anything is wrapped under them. Does nothing when it says so.
cdp::Result<void> adopt_epochs(Store& store, const Keyring& keyring, cdp::Timestamp now);

// Error keyring_epoch_missing (unavailable): rows may be under an epoch that the keyring lacks.
cdp::Result<void> check_epochs(const Keyring& keyring, const Snapshot& snapshot);

// How many keys the change under way has re-wrapped, and how many rows it dropped because nothing
// can unwrap them. Counted in the commits that did it; reset when a change begins.
struct RewrapCounts {
    std::uint64_t rewrapped = 0;
    std::uint64_t dropped = 0;

    friend bool operator==(const RewrapCounts&, const RewrapCounts&) = default;
};
cdp::Result<RewrapCounts> read_rewrap_counts(const Snapshot& snapshot);
void put_rewrap_counts(Transaction& transaction, const RewrapCounts& counts);

// Re-wraps, in one commit, the first rows from `from` (a row's key, or empty) on that are not under
// the vault's current epoch: at most `most`, and looks at no more than some ten thousand others.
inline constexpr std::size_t kRewrappedAtOnce = 2'000;  // a commit of some 250 kB
struct RewrapStep {
    bool conflict = false;  // nothing was done; try again, best with fewer
    std::uint64_t rewrapped = 0;
    std::uint64_t looked_at = 0;
    std::string next;  // empty: that was the last
};
cdp::Result<RewrapStep> rewrap_some(Store& store, const Vault& vault, const std::string& from,
                                    std::size_t most);

// How many keys are wrapped under each epoch; reads all of them.
cdp::Result<std::map<std::uint32_t, std::uint64_t>> count_by_epoch(const Snapshot& snapshot);

}  // namespace storage
