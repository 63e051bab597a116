#include "storage/epochs.h"

#include <utility>
#include <vector>

#include "cdp/base/bytes.h"
#include "cdp/base/crash_point.h"
#include "storage/contended.h"
#include "storage/key.h"
#include "storage/rocks_error.h"
#include "storage/vault.h"

namespace storage {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint64_t kLookedAtMax = 20'000;
constexpr int kRacesMax = 50;

using RowId = cdp::Id<struct EpochsRowTag>;

// Not in the group of epochs_row(): it changes with every commit of a change.
const std::string& counts_row() {
    static const auto row = KeyWriter(Space::meta, RowId::from("keys re-wrapped.")).str();
    return row;
}

const std::string& keys_prefix() {
    static const auto prefix = space_prefix(Space::subject_key);
    return prefix;
}

cdp::Result<void> commit(Store& store, Transaction transaction, bool& conflict) {
    const auto outcome = commit_and_wait(store, std::move(transaction));
    conflict = outcome.state == CommitState::conflict;
    if (outcome.state == CommitState::unknown) return outcome.error;
    return cdp::Result<void>::ok();
}

}  // namespace

const std::string& epochs_row() {
    static const auto row = KeyWriter(Space::meta, RowId::from("wrapping epochs.")).str();
    return row;
}

cdp::Result<Epochs> read_epochs(const Snapshot& snapshot) {
    const auto row = CDP_TRY(snapshot.get(epochs_row()));
    Epochs epochs;
    if (!row) return epochs;
    cdp::ByteReader in(*row);
    const auto format = in.u8();
    epochs.former = in.u32();
    epochs.lowest = in.u32();
    epochs.current = in.u32();
    const auto stage = in.u8();
    epochs.since = cdp::timestamp_of(in.i64());
    if (!in.done() || format != kFormat || stage > 2)
        return store_damaged("the row of the epochs cannot be read");
    epochs.stage = static_cast<Epochs::Stage>(stage);
    return epochs;
}

void put_epochs(Transaction& transaction, const Epochs& epochs) {
    cdp::ByteWriter row;
    row.u8(kFormat).u32(epochs.former).u32(epochs.lowest).u32(epochs.current);
    row.u8(static_cast<std::uint8_t>(epochs.stage)).i64(cdp::milliseconds_of(epochs.since));
    transaction.put(epochs_row(), row.take());
}

cdp::Result<void> adopt_epochs(Store& store, const Keyring& keyring, cdp::Timestamp now) {
    for (int race = 0; race < kRacesMax; ++race) {
        const auto snapshot = store.snapshot();
        Transaction transaction(*snapshot, kPartition);
        transaction.watch(epochs_row());
        auto epochs = CDP_TRY(read_epochs(*snapshot));
        const auto highest = keyring.epochs.rbegin()->first;
        if (highest <= epochs.current) return cdp::Result<void>::ok();
        if (epochs.stage == Epochs::Stage::rest) {
            epochs.former = epochs.lowest;
            put_rewrap_counts(transaction, {});
        }
        epochs.current = highest;
        epochs.stage = Epochs::Stage::rewrapping;
        epochs.since = now;
        put_epochs(transaction, epochs);
        bool conflict = false;
        CDP_CHECK(commit(store, std::move(transaction), conflict));
        if (!conflict) return cdp::Result<void>::ok();
    }
    return contended("try again.");
}

cdp::Result<void> check_epochs(const Keyring& keyring, const Snapshot& snapshot) {
    const auto epochs = CDP_TRY(read_epochs(snapshot));
    for (const auto epoch : {epochs.lowest, epochs.current})
        if (!keyring.epochs.contains(epoch))
            return cdp::Error{.code = cdp::ErrorCode::unavailable,
                              .reason = "keyring_epoch_missing",
                              .message =
                                  "The keyring lacks an epoch that keys are wrapped under: it is "
                                  "older than the data.",
                              .detail = "epoch " + std::to_string(epoch)};
    return cdp::Result<void>::ok();
}

cdp::Result<RewrapCounts> read_rewrap_counts(const Snapshot& snapshot) {
    const auto row = CDP_TRY(snapshot.get(counts_row()));
    RewrapCounts counts;
    if (!row) return counts;
    cdp::ByteReader in(*row);
    const auto format = in.u8();
    counts.rewrapped = in.u64();
    counts.dropped = in.u64();
    if (!in.done() || format != kFormat)
        return store_damaged("the count of keys re-wrapped cannot be read");
    return counts;
}

void put_rewrap_counts(Transaction& transaction, const RewrapCounts& counts) {
    transaction.put(counts_row(),
                    cdp::ByteWriter().u8(kFormat).u64(counts.rewrapped).u64(counts.dropped).take());
}

cdp::Result<RewrapStep> rewrap_some(Store& store, const Vault& vault, const std::string& from,
                                    std::size_t most) {
    const auto snapshot = store.snapshot();
    Transaction transaction(*snapshot, kPartition);
    ReadSet reads(snapshot->version());
    RewrapStep step;
    auto counts = CDP_TRY(read_rewrap_counts(*snapshot));
    auto outcome = cdp::Result<void>::ok();
    std::uint64_t changed = 0;
    const auto visit = [&](std::string_view key, std::string_view row) {
        if (changed == most || step.looked_at == kLookedAtMax) {
            step.next = key;
            return false;
        }
        ++step.looked_at;
        auto again = vault.rewrap(key, row);
        if (!again) {
            outcome = again.error();
            return false;
        }
        if (again->state == Rewrapped::State::current) return true;
        ++changed;
        reads.add_key(key);
        if (again->state == Rewrapped::State::gone) {
            ++counts.dropped;
            transaction.erase(std::string(key));
            return true;
        }
        ++step.rewrapped;
        transaction.put(std::string(key), std::move(again->row));
        return true;
    };
    CDP_CHECK(snapshot->scan(keys_prefix(), from, visit));
    CDP_CHECK(outcome);
    if (changed == 0) return step;
    counts.rewrapped += step.rewrapped;
    put_rewrap_counts(transaction, counts);
    // What was read is what the snapshot showed; the commit holds it against what came since.
    transaction.rely_on(reads);
    CDP_CHECK(commit(store, std::move(transaction), step.conflict));
    cdp::crash_point("keys_rewrapped");
    return step;
}

cdp::Result<std::map<std::uint32_t, std::uint64_t>> count_by_epoch(const Snapshot& snapshot) {
    std::map<std::uint32_t, std::uint64_t> keys;
    CDP_CHECK(snapshot.scan(keys_prefix(), {}, [&](std::string_view, std::string_view row) {
        ++keys[wrapping_epoch_of(row)];
        return true;
    }));
    return keys;
}

}  // namespace storage
