#include "consent/ledger_check.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cdp/base/bytes.h"
#include "consent/entry.h"
#include "consent/merkle.h"
#include "consent/tiles.h"
#include "storage/key.h"
#include "storage/scan_ahead.h"
#include "storage/store.h"

namespace consent {
namespace {

constexpr std::uint64_t kTellEvery = 4096;

cdp::Error stopped() {
    return {.code = cdp::ErrorCode::unavailable,
            .reason = "stopped",
            .message = "The check was stopped before its end."};
}

// Grows the tree anew from the entries and holds each node that a tile has against the tile.
class TreeCheck {
public:
    TreeCheck(const storage::Snapshot& snapshot, std::optional<SignedCheckpoint> checkpoint)
        : snapshot_(snapshot), checkpoint_(std::move(checkpoint)) {
        if (checkpoint_) published_ = checkpoint_->checkpoint.size;
    }

    // False at the first thing that does not fit, or when the store fails.
    bool take(std::uint64_t index, std::string_view bytes) {
        if (index != next_) return blame_entry("It is missing.");
        ++next_;
        if (bytes.size() > kEntryBytesMax || !decode_entry(bytes))
            return blame_entry("Its bytes are no entry.", index);
        if (index >= published_) return true;
        const auto leaf = hasher_.leaf(bytes);
        frontier_.append(hasher_, leaf, [&](NodeAt at, const Sha256& hash) {
            if (at.level % kTileHeight == 0 && going_on()) hold(at, hash);
        });
        return going_on();
    }

    // After the last entry; `appended` is how many the log says it has.
    void finish(std::uint64_t appended) {
        if (!going_on()) return;
        if (next_ < std::max(appended, published_)) {
            blame_entry("It is missing.", next_);
            return;
        }
        if (checkpoint_ && frontier_.root(hasher_) != checkpoint_->checkpoint.root)
            fault_ = {.what = "checkpoint",
                      .index = {},
                      .id = {},
                      .why = "Its root is not that of the entries."};
    }

    bool going_on() const { return !fault_ && !error_; }
    const std::optional<LedgerFault>& fault() const { return fault_; }
    const std::optional<cdp::Error>& error() const { return error_; }
    std::uint64_t entries() const { return next_; }
    std::uint64_t published() const { return published_; }

private:
    bool blame_entry(std::string why) { return blame_entry(std::move(why), next_); }
    bool blame_entry(std::string why, std::uint64_t index) {
        fault_ = {.what = "entry", .index = index, .id = {}, .why = std::move(why)};
        return false;
    }

    // The tiles are filled from left to right: the row at hand is the one needed next.
    void hold(NodeAt at, const Sha256& hash) {
        const TileAt tile{.level = at.level / kTileHeight, .index = at.index / kTileWidth};
        auto& row = rows_[tile.level % rows_.size()];
        if (row.index != tile.index || row.hashes.empty()) {
            auto hashes = read_tile(snapshot_, tile, width_of(tile, published_));
            if (!hashes) return lose(tile, hashes.error());
            row = {.index = tile.index, .hashes = *std::move(hashes)};
        }
        const auto offset = at.index % kTileWidth * sizeof(Sha256);
        if (std::string_view(row.hashes).substr(offset, sizeof(Sha256)) != view(hash))
            blame(at, hash, row.hashes.substr(offset, sizeof(Sha256)));
    }

    void lose(TileAt tile, const cdp::Error& error) {
        if (error.reason != "ledger_damaged") {
            error_ = error;
            return;
        }
        const auto leaves = tile.index << ((tile.level + 1) * kTileHeight);
        fault_ = {
            .what = "tile", .index = leaves, .id = {}, .why = name(tile) + " is missing or cut."};
    }

    static std::string name(TileAt tile) {
        return "Tile " + std::to_string(tile.level) + "/" + std::to_string(tile.index);
    }

    // Of two hashes that differ, the one that leads to the signed root is right.
    void blame(NodeAt at, const Sha256& computed, std::string_view stored) {
        const TileAt tile{.level = at.level / kTileHeight, .index = at.index / kTileWidth};
        const auto first = at.index << at.level;
        LedgerFault as_tile{.what = "tile",
                            .index = first,
                            .id = {},
                            .why = name(tile) + " is not what the entries give."};
        if (at.level > 0 || leads_to_root(at.index, computed)) {
            fault_ = as_tile;
            return;
        }
        Sha256 hash;
        std::ranges::copy(stored, hash.begin());
        blame_entry(leads_to_root(at.index, hash)
                        ? "It is not the one that was signed."
                        : "It is not what its tile says, and neither leads to the checkpoint.",
                    first);
    }

    bool leads_to_root(std::uint64_t index, const Sha256& leaf) {
        TileNodes nodes(snapshot_, hasher_, published_);
        const auto path = prove_inclusion(hasher_, index, published_, nodes.reader());
        return path && verify(hasher_,
                              Inclusion{.index = index,
                                        .size = published_,
                                        .leaf = leaf,
                                        .root = checkpoint_->checkpoint.root},
                              *path);
    }

    struct Row {
        std::uint64_t index = 0;
        std::string hashes = {};
    };

    const storage::Snapshot& snapshot_;
    const std::optional<SignedCheckpoint> checkpoint_;
    std::uint64_t published_ = 0;
    TreeHasher hasher_;
    Frontier frontier_;
    std::array<Row, 64 / kTileHeight> rows_;  // the tile at hand of each level
    std::uint64_t next_ = 0;
    std::optional<LedgerFault> fault_;
    std::optional<cdp::Error> error_;
};

}  // namespace

cdp::Result<LedgerChecked> check_tree(const storage::Snapshot& snapshot,
                                      const LedgerProgress& progress) {
    LedgerChecked out;
    auto checkpoint = read_checkpoint(snapshot);
    if (!checkpoint && checkpoint.error().reason != "ledger_damaged") return checkpoint.error();
    if (!checkpoint) {
        out.fault = {.what = "checkpoint",
                     .index = {},
                     .id = {},
                     .why = "None of the known keys has signed it as it is."};
        return out;
    }
    const auto appended = CDP_TRY(storage::log_size(snapshot, ledger_prefix()));
    TreeCheck check(snapshot, *std::move(checkpoint));
    bool told_to_stop = false;
    const auto visit = [&](std::string_view key, std::string_view bytes) {
        const auto index = cdp::ByteReader(key.substr(storage::kGroupBytes)).u64();
        if (!check.take(index, bytes)) return false;
        told_to_stop = check.entries() % kTellEvery == 0 && !progress("entries", check.entries());
        return !told_to_stop;
    };
    CDP_CHECK(storage::scan_ahead(snapshot, ledger_prefix(), {}, visit));
    if (told_to_stop) return stopped();
    check.finish(appended);
    if (check.error()) return *check.error();
    out.entries = check.entries();
    out.published = check.published();
    out.fault = check.fault();
    return out;
}

}  // namespace consent
