#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <unordered_set>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/base/result.h"
#include "identity/assertion.h"
#include "identity/graph.h"
#include "storage/store.h"

namespace identity {

// How far a walk over everything has come.
struct Progress {
    std::uint64_t identifiers = 0;  // looked at
    std::uint64_t changed = 0;      // persons announced as changed
};
// False stops the walk; what is done stays done.
using Report = std::function<bool(const Progress&)>;

// Keeps the stored fold in step with what it is a function of besides evidence: assertions and
// configured rules. Waits for the disk: not for threads that serve the network.
class Upkeep {
public:
    // Told of each fold, in the transaction that stores it, made on the snapshot: what is written
    // there stands or falls with the fold.
    using OnFolded =
        std::function<cdp::Result<void>(const storage::Snapshot&, storage::Transaction&,
                                        std::span<const cdp::Token>, const Cause&)>;

    // All must outlive it.
    Upkeep(storage::Store& store, const storage::Vault& vault, const Graph& graph,
           const IdentifierTypes& types, const cdp::Clock& clock, OnFolded on_folded = {});

    // Remembers, in the transaction that makes or revokes an assertion, that its consequences are
    // still to be drawn: kill -9 between the two and the next start draws them.
    static void owe(storage::Transaction& transaction, const AssertionId& assertion);

    // Draws the consequences of one assertion that was made or revoked; nothing when that is done.
    cdp::Result<void> settle(const AssertionId& assertion) const;

    // Draws what is owed from before, and folds everything afresh when the rules in force are not
    // those that the stored fold was made under. At the start, before anything is served.
    cdp::Result<Progress> catch_up(const Report& report) const;

    // Whose consequences are still to be drawn, oldest last.
    cdp::Result<std::vector<AssertionId>> owed() const;
    // Whether the stored fold was made under the rules in force.
    cdp::Result<bool> follows_rules() const;
    // Whether it is noted that the stored fold was made under other rules.
    cdp::Result<bool> follows_other_rules() const;
    // Notes that the stored fold is that of the rules in force, for who has made it so.
    cdp::Result<void> note_rules() const;

private:
    cdp::Result<void> settle(const Assertion& assertion) const;
    cdp::Result<void> fold_around(std::span<const cdp::Token> start, const Cause& cause,
                                  std::unordered_set<cdp::Token>& done) const;
    cdp::Result<void> fold_everything(const Report& report, Progress& progress) const;
    cdp::Result<void> each_start(
        const Assertion& assertion,
        const std::function<cdp::Result<void>(std::span<const cdp::Token>)>& fold) const;
    cdp::Result<void> write(std::string key, std::optional<std::string> value) const;
    std::string fingerprint() const;

    storage::Store& store_;
    const storage::Vault& vault_;
    const Graph& graph_;
    const IdentifierTypes& types_;
    const cdp::Clock& clock_;
    OnFolded on_folded_;
    Assertions assertions_;
};

}  // namespace identity
