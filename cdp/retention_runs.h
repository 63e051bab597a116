#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "cdp/facts.h"
#include "cdp/retention_home.h"
#include "consent/sha256.h"
#include "storage/snapshot.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// That data were pruned, as it is kept: rules, counts and times, and nothing of anybody.
namespace cdp {

struct RetentionRun {
    // `interrupted`: the rules changed before it was through.
    enum class State : std::uint8_t { running = 1, completed = 2, interrupted = 3 };

    Timestamp begun{};  // what had passed by then goes
    State state = State::running;
    Timestamp finished{};
    RetentionRules rules = {};
    PrunedByRule pruned = {};           // by rule
    std::uint64_t unreadable = 0;       // rows that were left as they are
    std::uint64_t contended = 0;        // identifiers left to the next run, for who writes there
    std::optional<Token> through = {};  // the homes up to it are done; while it is running
    consent::Sha256 salt = {};          // of its entry in the ledger

    friend bool operator==(const RetentionRun&, const RetentionRun&) = default;

    // What the ledger's entry commits to.
    std::string outcome() const;
    consent::Sha256 commitment() const;
};

std::string_view to_string(RetentionRun::State value);

// One at most begins in a millisecond.
void put_run(storage::Transaction& transaction, const RetentionRun& run);
// The same, with its entry in the ledger.
void put_ended_run(storage::Transaction& transaction, const storage::Vault& vault,
                   const RetentionRun& run);

// Newest first, from those that began before a moment; false stops.
Result<void> each_run(const storage::Snapshot& snapshot, std::optional<Timestamp> before,
                      const std::function<bool(const Result<RetentionRun>&)>& visit);
Result<std::optional<RetentionRun>> latest_run(const storage::Snapshot& snapshot);

}  // namespace cdp
