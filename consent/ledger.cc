#include "consent/ledger.h"

#include <algorithm>
#include <map>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/base/crash_point.h"
#include "storage/key.h"

namespace consent {
namespace {

// Bounds how long the committer is busy with one batch: some 10 ms.
constexpr std::uint64_t kBatchMax = 4096;

cdp::Result<void> commit(storage::Store& store, storage::Transaction transaction) {
    const auto outcome = commit_and_wait(store, std::move(transaction));
    switch (outcome.state) {
        case storage::CommitState::ok: return cdp::Result<void>::ok();
        case storage::CommitState::unknown: return outcome.error;
        case storage::CommitState::conflict: break;
    }
    return cdp::Error{.code = cdp::ErrorCode::unavailable,
                      .reason = "ledger_contended",
                      .message = "Somebody else publishes the ledger."};
}

std::uint64_t index_in(std::string_view entry_row_key) {
    return cdp::ByteReader(entry_row_key.substr(entry_row_key.size() - sizeof(std::uint64_t)))
        .u64();
}

cdp::Error not_published() {
    return {.code = cdp::ErrorCode::unavailable,
            .reason = "not_published_yet",
            .message = "The ledger has not published this yet; ask again in a second."};
}

}  // namespace

// What one publish adds.
struct Ledger::Batch {
    Frontier frontier;
    std::map<TileAt, std::string> tiles = {};  // whole rows
    std::vector<Sha256> commitments = {};      // of the entries from `first` on
    std::uint64_t first = 0;
};

Ledger::Ledger(storage::Store& store, const storage::Vault& vault) : store_(store), vault_(vault) {}
Ledger::~Ledger() = default;

std::optional<cdp::Error> Ledger::halted() const {
    const std::lock_guard lock(mutex_);
    return halted_;
}

std::shared_ptr<const SignedCheckpoint> Ledger::checkpoint() const {
    const std::lock_guard lock(mutex_);
    return checkpoint_;
}

std::uint64_t Ledger::size() const {
    const auto at = checkpoint();
    return at ? at->checkpoint.size : 0;
}

void Ledger::halt(const cdp::Error& error) {
    const std::lock_guard lock(mutex_);
    halted_ = error;
    is_halted_.store(true, std::memory_order_release);
}

cdp::Result<bool> Ledger::publish(cdp::Timestamp now) {
    const std::lock_guard lock(publishing_);
    return publish_locked(now);
}

cdp::Result<bool> Ledger::publish_locked(cdp::Timestamp now) {
    if (const auto why = halted()) return *why;
    auto published = publish_next(now);
    // Whatever else went wrong may be gone next time; damage does not go away.
    if (!published && published.error().code == cdp::ErrorCode::corruption) halt(published.error());
    // Only the store knows now how far the attempt came.
    if (!published) opened_ = false;
    return published;
}

// What is there when it begins: under load there is always more.
cdp::Result<void> Ledger::publish_all(cdp::Timestamp now) {
    const auto snapshot = store_.snapshot();
    const auto appended = CDP_TRY(storage::log_size(*snapshot, ledger_prefix()));
    while (CDP_TRY(publish_locked(now)) && frontier_.size() < appended) continue;
    return cdp::Result<void>::ok();
}

cdp::Result<VerifierKey> Ledger::rotate(cdp::Timestamp now,
                                        const std::function<cdp::Result<void>()>& renew) {
    const std::lock_guard lock(publishing_);
    // What the old key has not signed yet, the new one would claim to have seen grow.
    CDP_CHECK(publish_all(now));
    CDP_CHECK(renew());
    opened_ = false;
    CDP_CHECK(publish_all(now));
    return signer_->verifier();
}

cdp::Result<bool> Ledger::publish_next(cdp::Timestamp now) {
    if (!opened_) {
        CDP_CHECK(open(now));
        opened_ = true;
    }
    const auto snapshot = store_.snapshot();
    const auto appended = CDP_TRY(storage::log_size(*snapshot, ledger_prefix()));
    if (appended < frontier_.size()) return ledger_damaged("entries are missing at its end");
    if (appended == frontier_.size() && checkpoint()) return false;

    const auto target = std::min(appended, frontier_.size() + kBatchMax);
    const auto batch = CDP_TRY(gather(*snapshot, target));
    CDP_CHECK(write_tiles(*snapshot, batch));
    const auto written = store_.snapshot();
    CDP_CHECK(check_written(*written, batch));
    CDP_CHECK(sign(*written, batch));
    frontier_ = batch.frontier;
    return true;
}

cdp::Result<void> Ledger::open(cdp::Timestamp now) {
    const auto& key = vault_.ledger_key();
    if (!key) return ledger_damaged("the keyring has no key for it");
    signer_ = std::make_unique<NoteSigner>(key->origin, key->seed);
    const auto snapshot = store_.snapshot();
    auto last = CDP_TRY(read_checkpoint(*snapshot));
    frontier_ = {};
    if (last && last->checkpoint.origin != key->origin)
        return ledger_damaged("the keyring gives it another origin than its checkpoint has");
    if (last) {
        const auto& checkpoint = last->checkpoint;
        TreeHasher hasher;
        TileNodes nodes(*snapshot, hasher, checkpoint.size);
        frontier_ = CDP_TRY(Frontier::of(checkpoint.size, nodes.reader()));
        if (frontier_.root(hasher) != checkpoint.root)
            return ledger_damaged("the tiles do not lead to the checkpoint");
        const std::lock_guard lock(mutex_);
        checkpoint_ = std::make_shared<const SignedCheckpoint>(*std::move(last));
    }
    return adopt_key(*snapshot, now);
}

// The public half is kept for good, so that what was signed with a former key can still be checked.
cdp::Result<void> Ledger::adopt_key(const storage::Snapshot& snapshot, cdp::Timestamp now) {
    const auto known = CDP_TRY(read_public_keys(snapshot));
    const auto& verifier = signer_->verifier();
    if (std::ranges::find(known, verifier) != known.end()) return cdp::Result<void>::ok();
    storage::Transaction transaction(snapshot, storage::kPartition);
    transaction.put(public_key_key(static_cast<std::uint32_t>(known.size())), verifier.str());
    if (!known.empty()) {
        const auto former = known.back().str();
        append_entry(transaction, vault_,
                     {.type = EntryType::key_rotation,
                      .time = now,
                      .salt = random_salt(),
                      .fields = {{PublicTag::name, verifier.str()}, {PublicTag::former, former}}});
    }
    return commit(store_, std::move(transaction));
}

cdp::Result<Ledger::Batch> Ledger::gather(const storage::Snapshot& snapshot,
                                          std::uint64_t target) const {
    Batch batch{.frontier = frontier_};
    batch.first = frontier_.size();
    TreeHasher hasher;
    auto outcome = cdp::Result<void>::ok();
    const auto add = [&](NodeAt at, const Sha256& hash) {
        if (at.level % kTileHeight != 0 || !outcome) return;
        const TileAt tile{.level = at.level / kTileHeight, .index = at.index / kTileWidth};
        auto [found, fresh] = batch.tiles.try_emplace(tile);
        const auto filled = at.index % kTileWidth;
        if (fresh && filled > 0) {
            auto row = read_tile(snapshot, tile, filled);
            if (!row) outcome = row.error();
            if (row) found->second = *std::move(row);
        }
        found->second += view(hash);
    };
    const auto take = [&](std::string_view key, std::string_view bytes) {
        const auto index = batch.frontier.size();
        if (index == target) return false;
        const auto entry = decode_entry(bytes);
        if (!entry || index_in(key) != index) {
            outcome = ledger_damaged("entry " + std::to_string(index) + " is missing or damaged");
            return false;
        }
        batch.commitments.push_back(entry->commitment);
        batch.frontier.append(hasher, hasher.leaf(bytes), add);
        return static_cast<bool>(outcome);
    };
    CDP_CHECK(snapshot.scan(ledger_prefix(), entry_key(batch.first), take));
    CDP_CHECK(outcome);
    if (batch.frontier.size() != target) return ledger_damaged("entries are missing at its end");
    return batch;
}

cdp::Result<void> Ledger::write_tiles(const storage::Snapshot& snapshot, const Batch& batch) {
    if (batch.tiles.empty()) return cdp::Result<void>::ok();
    storage::Transaction transaction(snapshot, storage::kPartition);
    for (const auto& [at, hashes] : batch.tiles) transaction.put(tile_key(at), hashes);
    for (std::uint64_t i = 0; i < batch.commitments.size(); ++i)
        transaction.put(entry_index_key(batch.commitments[i]),
                        cdp::ByteWriter().u64(batch.first + i).take());
    CDP_CHECK(commit(store_, std::move(transaction)));
    cdp::crash_point("tiles_written");
    return cdp::Result<void>::ok();
}

// A signature cannot be taken back, so what is signed is what the disk holds, not what memory does.
cdp::Result<void> Ledger::check_written(const storage::Snapshot& snapshot,
                                        const Batch& batch) const {
    for (const auto& [at, hashes] : batch.tiles)
        if (CDP_TRY(snapshot.get(tile_key(at))) != hashes)
            return ledger_damaged("a tile is not what was written");
    TreeHasher hasher;
    TileNodes nodes(snapshot, hasher, batch.frontier.size());
    const auto root = batch.frontier.root(hasher);
    const auto stored = CDP_TRY(Frontier::of(batch.frontier.size(), nodes.reader()));
    if (stored.root(hasher) != root) return ledger_damaged("the tiles do not give the root");
    const auto last = checkpoint();
    if (!last || last->checkpoint.size == 0) return cdp::Result<void>::ok();
    const Consistency claim{.sizes = {last->checkpoint.size, batch.frontier.size()},
                            .first_root = last->checkpoint.root,
                            .second_root = root};
    const auto proof = CDP_TRY(prove_consistency(hasher, claim.sizes, nodes.reader()));
    if (!verify(hasher, claim, proof))
        return ledger_damaged("the tree does not grow out of the last checkpoint");
    return cdp::Result<void>::ok();
}

cdp::Result<void> Ledger::sign(const storage::Snapshot& snapshot, const Batch& batch) {
    const auto last = checkpoint();
    storage::Transaction transaction(snapshot, storage::kPartition);
    const auto row = CDP_TRY(transaction.get(checkpoint_key()));
    if (row.has_value() != (last != nullptr) || (row && *row != last->note))
        return ledger_damaged("the checkpoint is not the one last signed");
    TreeHasher hasher;
    SignedCheckpoint next{.checkpoint = {.origin = signer_->verifier().name,
                                         .size = batch.frontier.size(),
                                         .root = batch.frontier.root(hasher)}};
    next.note = signer_->sign(render(next.checkpoint));
    transaction.put(checkpoint_key(), next.note);
    CDP_CHECK(commit(store_, std::move(transaction)));
    cdp::crash_point("checkpoint_signed");
    const std::lock_guard lock(mutex_);
    checkpoint_ = std::make_shared<const SignedCheckpoint>(std::move(next));
    return cdp::Result<void>::ok();
}

cdp::Result<std::vector<VerifierKey>> Ledger::public_keys() const {
    return read_public_keys(*store_.snapshot());
}

cdp::Result<std::optional<std::uint64_t>> Ledger::index_of(const Sha256& commitment) const {
    const auto row = CDP_TRY(store_.snapshot()->get(entry_index_key(commitment)));
    if (!row) return std::optional<std::uint64_t>();
    cdp::ByteReader in(*row);
    const auto index = in.u64();
    if (!in.done()) return ledger_damaged("where an entry is cannot be read");
    // Rows are written ahead of the checkpoint.
    return index < size() ? std::optional(index) : std::nullopt;
}

cdp::Result<TlogProof> Ledger::prove(const Sha256& commitment) const {
    const auto at = checkpoint();
    const auto index = CDP_TRY(index_of(commitment));
    if (!at || !index || *index >= at->checkpoint.size) return not_published();
    auto path = CDP_TRY(proof(*index, at->checkpoint.size));
    return TlogProof{.index = *index, .path = std::move(path), .checkpoint = at->note};
}

cdp::Result<std::vector<Sha256>> Ledger::proof(std::uint64_t index, std::uint64_t tree) const {
    if (tree > size()) return not_published();
    const auto snapshot = store_.snapshot();
    TreeHasher hasher;
    TileNodes nodes(*snapshot, hasher, tree);
    return prove_inclusion(hasher, index, tree, nodes.reader());
}

cdp::Result<std::optional<std::string>> Ledger::tile(TileAt at, std::uint64_t width) const {
    if (width == 0 || width > width_of(at, size())) return std::optional<std::string>();
    return std::optional(CDP_TRY(read_tile(*store_.snapshot(), at, width)));
}

cdp::Result<std::optional<std::string>> Ledger::entries(std::uint64_t bundle,
                                                        std::uint64_t width) const {
    if (width == 0 || width > width_of({.level = 0, .index = bundle}, size()))
        return std::optional<std::string>();
    cdp::ByteWriter out;
    std::uint64_t count = 0;
    CDP_CHECK(store_.snapshot()->scan(ledger_prefix(), entry_key(bundle * kTileWidth),
                                      [&](std::string_view, std::string_view e) {
                                          out.u16(static_cast<std::uint16_t>(e.size())).raw(e);
                                          return ++count < width;
                                      }));
    if (count != width) return ledger_damaged("entries are missing");
    return std::optional(out.take());
}

}  // namespace consent
