#include "identity/node.h"

#include "cdp/base/bytes.h"
#include "storage/key.h"

namespace identity {
namespace {

// 1 was the layout of data folders of format 1.
constexpr std::uint8_t kFormat = 2;
constexpr std::uint8_t kValueFormat = 1;

enum Flag : std::uint8_t {
    seen = 1,
    shared = 2,
    contested = 4,
    active = 8,
    has_twin = 16,
    blocked = 32,
    asserted = 64,
};

std::uint8_t flags_of(const Node& node) {
    unsigned flags = 0;
    if (node.seen) flags |= Flag::seen;
    if (node.shared) flags |= Flag::shared;
    if (node.contested) flags |= Flag::contested;
    if (node.active) flags |= Flag::active;
    if (node.twin) flags |= Flag::has_twin;
    if (node.blocked) flags |= Flag::blocked;
    if (node.asserted) flags |= Flag::asserted;
    return static_cast<std::uint8_t>(flags);
}

std::optional<LinkClass> read_class(cdp::ByteReader& in) {
    const auto value = in.u8();
    if (value > static_cast<std::uint8_t>(LinkClass::probabilistic)) return std::nullopt;
    return static_cast<LinkClass>(value);
}

// Adds what all formats have: flags, and the fields at the end.
std::optional<Node> with_rest(Node node, std::uint8_t flags, cdp::ByteReader& in) {
    node.seen = flags & Flag::seen;
    node.shared = flags & Flag::shared;
    node.contested = flags & Flag::contested;
    node.active = flags & Flag::active;
    node.rank = in.id<cdp::Rank>();
    node.anchor = in.id<cdp::Token>();
    node.anchor_rank = in.id<cdp::Rank>();
    node.first_seen = cdp::timestamp_of(in.i64());
    if (flags & Flag::has_twin) node.twin = in.id<cdp::Token>();
    node.type = in.bytes();
    node.sealed = in.bytes();
    if (!in.done()) return std::nullopt;
    return node;
}

}  // namespace

std::string node_key(const cdp::Token& token) {
    return storage::KeyWriter(storage::Space::node, token).str();
}

std::string encode(const Node& node) {
    cdp::ByteWriter out;
    out.u8(kFormat)
        .u8(flags_of(node))
        .u8(static_cast<std::uint8_t>(node.link_class))
        .u8(static_cast<std::uint8_t>(node.anchor_class))
        .u8(static_cast<std::uint8_t>(node.level))
        .u32(node.component)
        .u32(node.component_links)
        .raw(node.rank.view())
        .raw(node.anchor.view())
        .raw(node.anchor_rank.view())
        .i64(cdp::milliseconds_of(node.first_seen));
    if (node.twin) out.raw(node.twin->view());
    out.bytes(node.type).bytes(node.sealed);
    return out.take();
}

std::optional<Node> decode_node(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    if (in.u8() != kFormat) return std::nullopt;
    const auto flags = in.u8();
    const auto link_class = read_class(in);
    const auto anchor_class = read_class(in);
    const auto level = read_class(in);
    if (!link_class || !anchor_class || !level) return std::nullopt;
    Node node;
    node.blocked = flags & Flag::blocked;
    node.asserted = flags & Flag::asserted;
    node.link_class = *link_class;
    node.anchor_class = *anchor_class;
    node.level = *level;
    node.component = in.u32();
    node.component_links = in.u32();
    return with_rest(std::move(node), flags, in);
}

std::optional<Node> decode_node_of_format_1(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    if (in.u8() != 1) return std::nullopt;
    const auto flags = in.u8();
    const auto link_class = read_class(in);
    const auto anchor_class = read_class(in);
    if (!link_class || !anchor_class) return std::nullopt;
    Node node;
    node.link_class = *link_class;
    node.anchor_class = *anchor_class;
    return with_rest(std::move(node), flags, in);
}

std::string encode(const NodeValue& value) {
    cdp::ByteWriter out;
    // The raw form is kept only where it differs.
    out.u8(kValueFormat).bytes(value.value).bytes(value.raw == value.value ? "" : value.raw);
    return out.take();
}

std::optional<NodeValue> decode_node_value(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    if (in.u8() != kValueFormat) return std::nullopt;
    NodeValue value;
    value.value = in.bytes();
    value.raw = in.bytes();
    if (!in.done()) return std::nullopt;
    if (value.raw.empty()) value.raw = value.value;
    return value;
}

}  // namespace identity
