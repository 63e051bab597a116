#include "cdp/key_epochs.h"

#include <algorithm>
#include <optional>

#include "cdp/base/crash_point.h"
#include "cdp/base/log.h"
#include "cdp/erasure_facts.h"
#include "consent/entry.h"
#include "storage/contended.h"
#include "storage/key.h"

namespace cdp {
namespace {

using storage::Epochs;
using storage::KeyPlace;

constexpr int kRacesMax = 50;

Error running() {
    return {.code = ErrorCode::conflict,
            .reason = "epoch_running",
            .message = "An epoch is being changed already."};
}

Error stopping() {
    return {.code = ErrorCode::unavailable,
            .reason = "stopping",
            .message = "The server stops; the change goes on when it starts again."};
}

// That one change runs, for as long as it lives.
class Claim {
public:
    explicit Claim(std::atomic<bool>& taken) : taken_(taken), mine_(!taken.exchange(true)) {}
    ~Claim() {
        if (mine_) taken_ = false;
    }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

    bool mine() const { return mine_; }

private:
    std::atomic<bool>& taken_;
    const bool mine_;
};

}  // namespace

Result<KeyEpochs::Changed> KeyEpochs::change(const EpochReport& report) {
    const Claim claim(running_);
    if (!claim.mine()) return running();
    CDP_CHECK(drop_leftovers());
    if (!CDP_TRY(unfinished())) {
        CDP_CHECK(needs_.keyring.change([](storage::Keyring& keyring) { keyring.add_epoch(); }));
        CDP_TRY(escrows_.refresh());
    }
    return go_on(report);
}

// An old copy of the keyring that was put in place brings back what ended.
Result<void> KeyEpochs::drop_leftovers() {
    const auto epochs = CDP_TRY(storage::read_epochs(*needs_.store.snapshot()));
    const auto keyring = needs_.keyring.keyring();
    if (epochs.stage != Epochs::Stage::rest || keyring.epochs.begin()->first >= epochs.lowest ||
        keyring.epochs.rbegin()->first > epochs.current)
        return Result<void>::ok();
    return needs_.keyring.change([](storage::Keyring& changed) { changed.end_former_epochs(); });
}

Result<bool> KeyEpochs::unfinished() const {
    const auto epochs = CDP_TRY(storage::read_epochs(*needs_.store.snapshot()));
    return epochs.stage != Epochs::Stage::rest || needs_.keyring.keyring().epochs.size() > 1;
}

// Each step may be repeated, and is skipped when a former process has done it.
Result<KeyEpochs::Changed> KeyEpochs::go_on(const EpochReport& report) {
    CDP_CHECK(adopt_epochs(needs_.store, needs_.keyring.keyring(), needs_.clock.now()));
    auto epochs = CDP_TRY(storage::read_epochs(*needs_.store.snapshot()));
    while (epochs.stage != Epochs::Stage::proven) {
        CDP_CHECK(rewrap(report));
        CDP_CHECK(reach_backups());
        if (CDP_TRY(proven(report))) break;
    }
    CDP_CHECK(set_stage(Epochs::Stage::proven));
    if (needs_.keyring.keyring().epochs.size() > 1)
        CDP_CHECK(
            needs_.keyring.change([](storage::Keyring& keyring) { keyring.end_former_epochs(); }));
    CDP_TRY(escrows_.refresh());
    return finish();
}

Result<void> KeyEpochs::rewrap(const EpochReport& report) {
    std::string from;
    std::size_t most = storage::kRewrappedAtOnce;
    std::uint64_t done = CDP_TRY(storage::read_rewrap_counts(*needs_.store.snapshot())).rewrapped;
    do {
        if (stopping_) return stopping();
        auto step = CDP_TRY(storage::rewrap_some(needs_.store, needs_.vault, from, most));
        // Fewer meet fewer erasures.
        most = step.conflict ? std::max<std::size_t>(1, most / 2)
                             : std::min(storage::kRewrappedAtOnce, most * 2);
        if (step.conflict) continue;
        from = std::move(step.next);
        done += step.rewrapped;
        if (step.rewrapped > 0) report("rewrapped", done);
        if (from.empty()) break;
    } while (true);
    return Result<void>::ok();
}

// A pass under one snapshot, taken after the epoch began: nobody wraps under another any more.
Result<bool> KeyEpochs::proven(const EpochReport& report) const {
    const auto snapshot = needs_.store.snapshot();
    const auto epochs = CDP_TRY(storage::read_epochs(*snapshot));
    std::uint64_t keys = 0;
    bool all = true;
    for (const auto& [epoch, count] : CDP_TRY(storage::count_by_epoch(*snapshot))) {
        keys += count;
        all = all && epoch == epochs.current;
    }
    report("proven", keys);
    return all;
}

Result<void> KeyEpochs::reach_backups() {
    const auto snapshot = needs_.store.snapshot();
    const auto current = needs_.keyring.keyring().epochs.rbegin()->first;
    for (auto& place : CDP_TRY(storage::all_places(*snapshot, needs_.vault))) {
        if (place.kind != KeyPlace::Kind::backup || place.lowest == current) continue;
        if (stopping_) return stopping();
        const auto copy = [&](std::string_view row_key, std::string_view row) {
            return storage::rewrap_copy(*snapshot, needs_.vault, row_key, row);
        };
        const auto done = backups_ ? backups_->rewrap(place, copy) : Result<void>::ok();
        if (done && backups_) {
            place.lowest = place.highest = current;
            place.written = needs_.clock.now();
            place.failing.clear();
        } else {
            place.failing = done ? "unreachable" : done.error().reason;
        }
        CDP_CHECK(keep_place(needs_.store, needs_.vault, place));
    }
    return Result<void>::ok();
}

Result<void> KeyEpochs::set_stage(Epochs::Stage stage) {
    for (int race = 0; race < kRacesMax; ++race) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        transaction.watch(storage::epochs_row());
        auto epochs = CDP_TRY(storage::read_epochs(*snapshot));
        epochs.lowest = epochs.current;
        epochs.stage = stage;
        if (epochs.since == Timestamp{}) epochs.since = needs_.clock.now();
        storage::put_epochs(transaction, epochs);
        const auto outcome = commit_and_wait(needs_.store, std::move(transaction));
        crash_point("epoch_staged");
        if (outcome.state == storage::CommitState::ok) return Result<void>::ok();
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
    }
    return storage::contended("the change goes on when it is asked for again.");
}

Result<KeyEpochs::Changed> KeyEpochs::finish() {
    for (int race = 0; race < kRacesMax; ++race) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        transaction.watch(storage::epochs_row());
        auto epochs = CDP_TRY(storage::read_epochs(*snapshot));
        const auto counts = CDP_TRY(storage::read_rewrap_counts(*snapshot));
        const auto before = CDP_TRY(ended_epochs(*snapshot));
        Changed changed;
        changed.ended = {.from = epochs.former,
                         .to = epochs.current,
                         .rewrapped = counts.rewrapped,
                         .gone = counts.dropped,
                         .began = epochs.since,
                         .ended = needs_.clock.now(),
                         .salt = consent::random_salt()};
        const auto since = before.empty() ? Timestamp{} : before.back().ended;
        changed.ended.gone += CDP_TRY(erased_since(*snapshot, since));
        append_ended_epoch(transaction, needs_.vault, changed.ended);
        epochs.stage = Epochs::Stage::rest;
        storage::put_epochs(transaction, epochs);
        const auto outcome = commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
        if (outcome.state == storage::CommitState::conflict) continue;
        changed.entry = outcome.appended.front();
        for (auto& place : CDP_TRY(storage::all_places(*needs_.store.snapshot(), needs_.vault)))
            if (!place.failing.empty()) changed.failing.push_back(std::move(place));
        return changed;
    }
    return storage::contended("the change goes on when it is asked for again.");
}

Result<std::uint64_t> KeyEpochs::erased_since(const storage::Snapshot& snapshot,
                                              Timestamp since) const {
    std::uint64_t gone = 0;
    auto outcome = Result<void>::ok();
    CDP_CHECK(
        snapshot.scan(erasures_prefix(), {}, [&](std::string_view key, std::string_view sealed) {
            const auto erasure = open_erasure(needs_.vault, key, sealed);
            if (!erasure) outcome = erasure.error();
            if (erasure && erasure->state == Erasure::State::completed &&
                erasure->completed > since)
                gone += erasure->counts.identifiers;
            return static_cast<bool>(erasure);
        }));
    CDP_CHECK(outcome);
    return gone;
}

void KeyEpochs::resume() {
    resumed_ = std::thread([this] { run_resumed(); });
}

void KeyEpochs::run_resumed() {
    const Claim claim(running_);
    if (!claim.mine()) return;
    const auto go_on_if_needed = [this]() -> Result<std::optional<Changed>> {
        CDP_CHECK(drop_leftovers());
        CDP_TRY(escrows_.refresh());
        if (!CDP_TRY(unfinished())) return std::optional<Changed>();
        log::write(log::Level::info, "epoch_change_resumed");
        return std::optional(CDP_TRY(go_on([](std::string_view, std::uint64_t) {})));
    };
    const auto done = go_on_if_needed();
    if (done && !*done) return;
    if (done)
        log::write(log::Level::info, "epoch_changed",
                   {{"epoch", std::int64_t{(*done)->ended.to}},
                    {"rewrapped", static_cast<std::int64_t>((*done)->ended.rewrapped)}});
    else if (!stopping_)
        log::write(log::Level::error, "epoch_change_failed",
                   {{"reason", log::safe(done.error().reason)},
                    {"detail", log::safe(done.error().detail)}});
}

void KeyEpochs::stop() {
    stopping_ = true;
    if (resumed_.joinable()) resumed_.join();
}

}  // namespace cdp
