#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "consent/checkpoint.h"
#include "consent/entry.h"
#include "consent/merkle.h"
#include "consent/tiles.h"
#include "consent/tlog_proof.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace consent {

// Publishes the entries that commits have appended, and answers from what is published. An entry is
// durable with the commit that appended it; publishing adds, in commits of its own, first the tiles
// and then a signed checkpoint, so that a crash between the two only leaves hashes written ahead.
//
// Never signs what does not grow out of the last checkpoint. What does not fit halts it for the
// life of the process: nothing more is published, and who asks accepts_grants() is told no.
//
// Safe to use from many threads. The store and the vault must outlive it.
class Ledger {
public:
    Ledger(storage::Store& store, const storage::Vault& vault);
    ~Ledger();
    Ledger(const Ledger&) = delete;
    Ledger& operator=(const Ledger&) = delete;

    // Publishes some of what is new; false when nothing was. The first call continues where the
    // last process stopped, and notes a changed key in the ledger as of `now`. Also the first one:
    // an empty ledger has a checkpoint too. An error that does not halt it may be gone next time.
    cdp::Result<bool> publish(cdp::Timestamp now);

    // Signs with another key from now on: publishes what the present one has still to sign, calls
    // `renew`, which gives the vault another, and notes the change. Answers the new public half;
    // what was signed before stays good. After an error of `renew` the key is what it was.
    cdp::Result<VerifierKey> rotate(cdp::Timestamp now,
                                    const std::function<cdp::Result<void>()>& renew);

    // Why it halted.
    std::optional<cdp::Error> halted() const;
    bool accepts_grants() const { return !is_halted_.load(std::memory_order_acquire); }

    // nullptr before the first publish.
    std::shared_ptr<const SignedCheckpoint> checkpoint() const;
    // How many entries are published.
    std::uint64_t size() const;

    // Every key that has signed, oldest first.
    cdp::Result<std::vector<VerifierKey>> public_keys() const;

    // Where the entry is that holds a commitment. nullopt: it is not published (yet).
    cdp::Result<std::optional<std::uint64_t>> index_of(const Sha256& commitment) const;

    // That an entry is in the ledger, as of the latest checkpoint. Error unavailable
    // (not_published_yet): within a second it is.
    cdp::Result<TlogProof> prove(const Sha256& commitment) const;

    // The path from an entry to the root of the tree of `size` entries.
    cdp::Result<std::vector<Sha256>> proof(std::uint64_t index, std::uint64_t size) const;

    // As C2SP tlog-tiles serves them: hashes one after the other; u16 length and entry, each.
    // nullopt: not published as wide as that.
    cdp::Result<std::optional<std::string>> tile(TileAt at, std::uint64_t width) const;
    cdp::Result<std::optional<std::string>> entries(std::uint64_t bundle,
                                                    std::uint64_t width) const;

private:
    struct Batch;

    cdp::Result<void> open(cdp::Timestamp now);
    cdp::Result<void> adopt_key(const storage::Snapshot& snapshot, cdp::Timestamp now);
    cdp::Result<bool> publish_next(cdp::Timestamp now);
    cdp::Result<bool> publish_locked(cdp::Timestamp now);
    cdp::Result<void> publish_all(cdp::Timestamp now);
    cdp::Result<Batch> gather(const storage::Snapshot& snapshot, std::uint64_t target) const;
    cdp::Result<void> write_tiles(const storage::Snapshot& snapshot, const Batch& batch);
    cdp::Result<void> check_written(const storage::Snapshot& snapshot, const Batch& batch) const;
    cdp::Result<void> sign(const storage::Snapshot& snapshot, const Batch& batch);
    void halt(const cdp::Error& error);

    storage::Store& store_;
    const storage::Vault& vault_;

    std::mutex publishing_;  // held for a whole publish; guards what follows
    bool opened_ = false;
    std::unique_ptr<NoteSigner> signer_;
    Frontier frontier_;

    mutable std::mutex mutex_;  // held to read or change the two below, never while waiting
    std::shared_ptr<const SignedCheckpoint> checkpoint_;
    std::optional<cdp::Error> halted_;

    std::atomic<bool> is_halted_ = false;
};

}  // namespace consent
