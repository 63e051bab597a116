#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "consent/checkpoint.h"
#include "consent/merkle.h"
#include "storage/snapshot.h"

// The published ledger as rows of the store: the tree's hashes in C2SP tiles, the checkpoint, the
// public keys, and where each commitment is.
namespace consent {

// A tile holds up to 256 nodes of the levels 0, 8, 16, ... side by side.
inline constexpr unsigned kTileHeight = 8;
inline constexpr std::uint64_t kTileWidth = 256;

struct TileAt {
    unsigned level = 0;  // counted in tiles: its nodes stand over 256^level leaves each
    std::uint64_t index = 0;

    friend auto operator<=>(const TileAt&, const TileAt&) = default;
};

// How many hashes the tile has in a tree of `size` leaves.
std::uint64_t width_of(TileAt tile, std::uint64_t size);

std::string tile_key(TileAt tile);
std::string checkpoint_key();
std::string public_keys_prefix();
std::string public_key_key(std::uint32_t number);
// As C2SP tlog-tiles names them, from the log's URL on: tile/0/x001/067.p/9, tile/entries/067.
std::string tile_path(TileAt tile, std::uint64_t width);
std::string entries_path(std::uint64_t bundle, std::uint64_t width);

// Where the index of the entry with this commitment is.
std::string entry_index_key(const Sha256& commitment);
std::string entry_key(std::uint64_t index);

cdp::Error ledger_damaged(std::string detail);

// The first `width` hashes of a tile, one after the other. The row may hold more: what was written
// ahead of a checkpoint that never came. Error corruption when it holds less.
cdp::Result<std::string> read_tile(const storage::Snapshot& snapshot, TileAt tile,
                                   std::uint64_t width);

// The first `width` hashes of a tile, wherever tiles are kept.
using TileSource = std::function<cdp::Result<std::string>(TileAt tile, std::uint64_t width)>;

// The nodes of the tree of `size` leaves, out of its tiles, which are kept. For one thread at a
// time; the snapshot and the hasher must outlive it.
class TileNodes {
public:
    TileNodes(TileSource source, TreeHasher& hasher, std::uint64_t size)
        : source_(std::move(source)), hasher_(hasher), size_(size) {}
    TileNodes(const storage::Snapshot& snapshot, TreeHasher& hasher, std::uint64_t size);

    cdp::Result<Sha256> node(NodeAt at);
    NodeReader reader() {
        return [this](NodeAt at) { return node(at); };
    }

private:
    cdp::Result<std::string_view> tile(TileAt at);

    TileSource source_;
    TreeHasher& hasher_;
    const std::uint64_t size_;
    std::map<TileAt, std::string> tiles_;
};

// Every key that has signed, oldest first.
cdp::Result<std::vector<VerifierKey>> read_public_keys(const storage::Snapshot& snapshot);

// nullopt: nothing was ever published. Error corruption: it is damaged, or signed by a stranger.
cdp::Result<std::optional<SignedCheckpoint>> read_checkpoint(const storage::Snapshot& snapshot);

}  // namespace consent
