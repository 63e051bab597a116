#include "consent/witness.h"

#include <algorithm>
#include <utility>

#include "cdp/base/bytes.h"
#include "consent/merkle.h"
#include "consent/tiles.h"

namespace consent {
namespace {

cdp::Error blame(std::string reason, std::string message) {
    return {.code = cdp::ErrorCode::conflict,
            .reason = std::move(reason),
            .message = std::move(message)};
}

cdp::Error untrue(std::string message) {
    return blame("ledger_untrue", std::move(message));
}

class Look {
public:
    Look(const LedgerFetch& fetch, const Checkpoint& now) : fetch_(fetch), now_(now) {}

    // The tree as it was, out of the tiles of today.
    cdp::Result<void> start(const Checkpoint& last) {
        // A tile that is whole by now need not be served as narrow as it was.
        const TileSource source = [&](TileAt tile, std::uint64_t width) {
            return this->tile(tile, width);
        };
        TileNodes nodes(source, hasher_, last.size);
        frontier_ = CDP_TRY(Frontier::of(last.size, nodes.reader()));
        if (frontier_.root(hasher_) != last.root)
            return blame("ledger_forked",
                         "The tree it serves does not hold the one that it signed before.");
        return cdp::Result<void>::ok();
    }

    cdp::Result<void> take_new_entries() {
        while (frontier_.size() < now_.size) CDP_CHECK(take_bundle());
        if (frontier_.root(hasher_) != now_.root)
            return blame("ledger_forked",
                         "The entries it serves do not give the tree that it signed.");
        return cdp::Result<void>::ok();
    }

private:
    cdp::Result<std::string> tile(TileAt at, std::uint64_t width) {
        const auto wide = width_of(at, now_.size);
        auto hashes = CDP_TRY(fetch_(tile_path(at, wide)));
        if (hashes.size() != wide * sizeof(Sha256))
            return untrue("The tile " + tile_path(at, wide) + " has another size.");
        hashes.resize(width * sizeof(Sha256));
        return hashes;
    }

    cdp::Result<void> take_bundle() {
        const auto bundle = frontier_.size() / kTileWidth;
        const TileAt leaves{.level = 0, .index = bundle};
        const auto width = width_of(leaves, now_.size);
        const auto hashes = CDP_TRY(tile(leaves, width));
        const auto bytes = CDP_TRY(fetch_(entries_path(bundle, width)));
        cdp::ByteReader in(bytes);
        for (std::uint64_t i = 0; i < width; ++i) {
            const auto entry = in.raw(in.u16());
            if (!in.ok()) break;
            const auto index = bundle * kTileWidth + i;
            const auto leaf = hasher_.leaf(entry);
            if (std::string_view(hashes).substr(i * sizeof(Sha256), sizeof(Sha256)) != view(leaf))
                return untrue("Entry " + std::to_string(index) + " is not what its tile says.");
            if (index == frontier_.size()) frontier_.append(hasher_, leaf);
        }
        if (!in.done()) return untrue("The bundle " + std::to_string(bundle) + " is malformed.");
        return cdp::Result<void>::ok();
    }

    const LedgerFetch& fetch_;
    const Checkpoint now_;
    TreeHasher hasher_;
    Frontier frontier_;
};

}  // namespace

cdp::Result<Witnessed> witness(const LedgerFetch& fetch, std::span<const VerifierKey> known,
                               const std::optional<SignedCheckpoint>& last) {
    const auto note = CDP_TRY(fetch("checkpoint"));
    Witnessed out{.now = CDP_TRY(open_checkpoint(note, known))};
    const auto& now = out.now.checkpoint;
    const auto before =
        last ? last->checkpoint : Checkpoint{.origin = now.origin, .size = 0, .root = empty_root()};
    if (now.origin != before.origin)
        return blame("ledger_forked", "It is another log than the one seen before.");
    if (now.size < before.size)
        return blame("ledger_rolled_back", "It has " + std::to_string(now.size) +
                                               " entries; it had " + std::to_string(before.size) +
                                               ".");
    if (now.size == before.size && now.root != before.root)
        return blame("ledger_forked", "It has signed two trees of the same size.");
    Look look(fetch, now);
    CDP_CHECK(look.start(before));
    CDP_CHECK(look.take_new_entries());
    out.entries = now.size - before.size;
    return out;
}

}  // namespace consent
