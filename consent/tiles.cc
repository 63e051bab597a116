#include "consent/tiles.h"

#include <algorithm>
#include <utility>

#include "cdp/base/bytes.h"
#include "consent/entry.h"
#include "storage/key.h"

namespace consent {
namespace {

using storage::KeyWriter;
using storage::Space;
using GroupId = cdp::Id<struct LedgerGroupTag>;

KeyWriter group(std::string_view name) {
    return {Space::ledger, GroupId::from(name)};
}

// Sixteen bytes each.
constexpr std::string_view kTiles = "tile............";
constexpr std::string_view kCheckpoint = "checkpoint......";
constexpr std::string_view kPublicKeys = "public keys.....";

Sha256 hash_at(std::string_view hashes, std::uint64_t index) {
    Sha256 hash;
    std::ranges::copy(hashes.substr(index * sizeof(Sha256), sizeof(Sha256)), hash.begin());
    return hash;
}

// Three digits a segment, all but the last after an x; how wide, unless it is full.
std::string tail_of(std::uint64_t index, std::uint64_t width) {
    std::string digits = std::to_string(index);
    digits.insert(0, (3 - digits.size() % 3) % 3, '0');
    std::string out;
    for (std::size_t at = 0; at < digits.size(); at += 3)
        out.append(at + 3 < digits.size() ? "x" : "").append(digits, at, 3).append("/");
    out.pop_back();
    if (width < kTileWidth) out += ".p/" + std::to_string(width);
    return out;
}

}  // namespace

std::uint64_t width_of(TileAt tile, std::uint64_t size) {
    const auto shift = tile.level * kTileHeight;
    const auto nodes = shift < 64 ? size >> shift : 0;
    if (tile.index > nodes / kTileWidth) return 0;
    return std::min(kTileWidth, nodes - tile.index * kTileWidth);
}

std::string tile_key(TileAt tile) {
    return group(kTiles).byte(static_cast<char>(tile.level)).number(tile.index).str();
}

std::string checkpoint_key() {
    return group(kCheckpoint).str();
}

std::string public_keys_prefix() {
    return group(kPublicKeys).str();
}

std::string public_key_key(std::uint32_t number) {
    return group(kPublicKeys).number32(number).str();
}

std::string entry_index_key(const Sha256& commitment) {
    return KeyWriter(Space::ledger_entry, GroupId::from(view(commitment))).str();
}

std::string entry_key(std::uint64_t index) {
    return cdp::ByteWriter().raw(ledger_prefix()).u64(index).take();
}

std::string tile_path(TileAt tile, std::uint64_t width) {
    return "tile/" + std::to_string(tile.level) + "/" + tail_of(tile.index, width);
}

std::string entries_path(std::uint64_t bundle, std::uint64_t width) {
    return "tile/entries/" + tail_of(bundle, width);
}

cdp::Error ledger_damaged(std::string detail) {
    return {.code = cdp::ErrorCode::corruption,
            .reason = "ledger_damaged",
            .message = "The ledger is damaged.",
            .detail = std::move(detail)};
}

cdp::Result<std::string> read_tile(const storage::Snapshot& snapshot, TileAt tile,
                                   std::uint64_t width) {
    auto row = CDP_TRY(snapshot.get(tile_key(tile)));
    if (!row || row->size() % sizeof(Sha256) != 0 || row->size() < width * sizeof(Sha256))
        return ledger_damaged("tile " + std::to_string(tile.level) + "/" +
                              std::to_string(tile.index) + " is missing or cut");
    row->resize(width * sizeof(Sha256));
    return *std::move(row);
}

TileNodes::TileNodes(const storage::Snapshot& snapshot, TreeHasher& hasher, std::uint64_t size)
    : TileNodes([&snapshot](TileAt tile,
                            std::uint64_t width) { return read_tile(snapshot, tile, width); },
                hasher, size) {}

cdp::Result<std::string_view> TileNodes::tile(TileAt at) {
    auto found = tiles_.find(at);
    if (found == tiles_.end())
        found = tiles_.emplace(at, CDP_TRY(source_(at, width_of(at, size_)))).first;
    return std::string_view(found->second);
}

cdp::Result<Sha256> TileNodes::node(NodeAt at) {
    const auto height = at.level % kTileHeight;
    const auto first = at.index << height;
    const auto count = std::uint64_t{1} << height;
    const auto hashes =
        CDP_TRY(tile({.level = at.level / kTileHeight, .index = first / kTileWidth}));
    const auto offset = first % kTileWidth;
    if ((offset + count) * sizeof(Sha256) > hashes.size())
        return ledger_damaged("a node is not in its tile");
    Frontier nodes;
    for (std::uint64_t i = 0; i < count; ++i) nodes.append(hasher_, hash_at(hashes, offset + i));
    return nodes.root(hasher_);
}

cdp::Result<std::vector<VerifierKey>> read_public_keys(const storage::Snapshot& snapshot) {
    std::vector<VerifierKey> keys;
    bool readable = true;
    const auto read = [&](std::string_view, std::string_view value) {
        const auto key = parse_vkey(value);
        readable = readable && key;
        if (key) keys.push_back(*key);
        return readable;
    };
    CDP_CHECK(snapshot.scan(public_keys_prefix(), {}, read));
    if (!readable) return ledger_damaged("a public key cannot be read");
    return keys;
}

cdp::Result<std::optional<SignedCheckpoint>> read_checkpoint(const storage::Snapshot& snapshot) {
    const auto row = CDP_TRY(snapshot.get(checkpoint_key()));
    if (!row) return std::optional<SignedCheckpoint>();
    const auto keys = CDP_TRY(read_public_keys(snapshot));
    auto opened = open_checkpoint(*row, keys);
    if (!opened) return ledger_damaged("the checkpoint does not hold: " + opened.error().reason);
    return std::optional(*std::move(opened));
}

}  // namespace consent
