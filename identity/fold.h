#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cdp/base/ids.h"
#include "identity/evidence.h"
#include "identity/identifier.h"

// The canonical constrained fold: which identifiers are one person, as a pure function of the
// evidence. No clock, no store, no order of arrival.
namespace identity {

// One identifier of a raw component.
struct FoldNode {
    cdp::Rank rank;
    const IdentifierType* type = nullptr;

    // Seen in an event of its own. An identifier known only as an alias call's previousId may be an
    // account or a cookie: both candidates are nodes, and `twin` is the index of the other. A
    // candidate that was seen counts; while neither was, the cookie does.
    bool seen = true;
    std::int32_t twin = -1;

    // Already known to be shared, so that its links need not all be here. Being shared is never
    // undone by more evidence.
    bool shared = false;
};

struct FoldLink {
    std::uint32_t a = 0;  // indices of nodes
    std::uint32_t b = 0;
    Evidence evidence;
};

enum class Apart : std::uint8_t {
    unique_type,  // one person would hold two values of a unique type
};

// An identifier of a type that is not unique is also shared once it was seen with more others than
// this: a value that everybody sends names nobody, and its links would have to be walked again and
// again.
inline constexpr std::uint32_t kNeighboursMax = 200;

// Why a link did not join its two ends.
struct RefusedLink {
    std::uint32_t link = 0;  // index of the link
    Apart reason = Apart::unique_type;
};

struct Partition {
    // Per node: the index of its person's best member, by (class of type, rank). A shared or
    // inactive node is alone.
    std::vector<std::uint32_t> anchor;
    std::vector<bool> shared;  // seen with too many others to belong to anyone
    std::vector<bool> active;  // false: an alias candidate that does not count
    std::vector<RefusedLink> refused;
};

// Folds the links: inactive candidates drop out; shared identifiers are found from their direct
// neighbours and never join; the other links are taken in the order (class, class of the stronger
// end, days seen, last day, ranks), each joining two persons unless that breaks a unique type. The
// order is total and made of content alone, so any order and repetition of the same nodes and links
// gives the same persons.
Partition fold(std::span<const FoldNode> nodes, std::span<const FoldLink> links);

// Whether the first is the better anchor.
bool better_anchor(LinkClass a_class, const cdp::Rank& a, LinkClass b_class, const cdp::Rank& b);

}  // namespace identity
