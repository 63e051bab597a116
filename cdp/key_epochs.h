#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/base/result.h"
#include "cdp/ended_epochs.h"
#include "cdp/escrows.h"
#include "consent/note.h"
#include "storage/epochs.h"
#include "storage/key_places.h"
#include "storage/keyring_file.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

// What is under way, and how many keys it has done.
using EpochReport = std::function<void(std::string_view stage, std::uint64_t keys)>;

// The epochs that wrap subject keys, changed while everybody else works; docs/decisions/0027. Safe
// to use from many threads; everything it refers to must outlive it.
class KeyEpochs {
public:
    using Needs = Escrows::Needs;
    explicit KeyEpochs(Needs needs) : needs_(needs), escrows_(needs) {}
    ~KeyEpochs() { stop(); }
    KeyEpochs(const KeyEpochs&) = delete;
    KeyEpochs& operator=(const KeyEpochs&) = delete;

    // Whoever keeps wrapped keys outside the store. Before the first change.
    void reach(storage::WrappedKeys& backups) { backups_ = &backups; }

    struct Changed {
        EndedEpoch ended = {};
        std::uint64_t entry = 0;                      // of the ledger
        std::vector<storage::KeyPlace> failing = {};  // places that hold what ended
    };
    // Begins an epoch, or goes on with one that was interrupted, and ends those before it; returns
    // when that is done, on disk. Errors: epoch_running (conflict); keyring_unwritten, stopping,
    // and those of the store: what was begun goes on when it is called again, or by resume.
    Result<Changed> change(const EpochReport& report);

    // Goes on in the background with what an earlier process began, and writes escrows it could
    // not reach. Once, before anybody may call change.
    void resume();

    // Ends what runs at its next step; nothing runs when it returns.
    void stop();

    // {"epochs":[…],"changing":bool,"ended":[…],"escrows":[…],"backups":[…]}; reads every key's
    // row.
    Result<std::string> state() const;

    const Escrows& escrows() const { return escrows_; }

    // Gives the vault another key for the ledger, durable.
    using Renew = std::function<Result<void>()>;
    // Rotates the ledger's key through whoever has the ledger, see consent::Ledger::rotate, and
    // writes the escrows anew: {"key":VKEY,"failing":[…]}.
    Result<std::string> rotate_ledger_key(
        const std::function<Result<consent::VerifierKey>(const Renew&)>& rotate) const;

private:
    Result<void> drop_leftovers();
    Result<Changed> go_on(const EpochReport& report);
    Result<void> rewrap(const EpochReport& report);
    Result<bool> proven(const EpochReport& report) const;
    Result<void> reach_backups();
    Result<void> set_stage(storage::Epochs::Stage stage);
    Result<Changed> finish();
    Result<std::uint64_t> erased_since(const storage::Snapshot& snapshot, Timestamp since) const;
    Result<bool> unfinished() const;
    void run_resumed();

    Needs needs_;
    Escrows escrows_;
    storage::WrappedKeys* backups_ = nullptr;
    std::atomic<bool> running_ = false;
    std::atomic<bool> stopping_ = false;
    std::thread resumed_;
};

// One line of JSON, without its end.
std::string render(const KeyEpochs::Changed& changed);
// The same of a place.
std::string render(const storage::KeyPlace& place);

}  // namespace cdp
