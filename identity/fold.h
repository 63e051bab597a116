#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "cdp/base/ids.h"
#include "identity/evidence.h"
#include "identity/identifier.h"

// The canonical constrained fold: which identifiers are one person, as a pure function of the
// evidence and of what is asserted. No clock, no store, no order of arrival.
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

    // Asserted to be shared, or already known to be, so that its links need not all be here.
    bool shared = false;
    bool blocked = false;  // asserted

    // Already known: links of a weaker class join it to more than a person can be, so that they
    // need not all be here.
    LinkClass level = LinkClass::probabilistic;
};

struct FoldLink {
    std::uint32_t a = 0;  // indices of nodes; one link for each two
    std::uint32_t b = 0;
    Evidence evidence;  // of the best class that the two were seen in, and of no other
};

// What is asserted of two nodes.
struct FoldAssertions {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> must;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> cannot;
};

// Why a link does not join its two ends.
enum class Apart : std::uint8_t {
    unique_type,  // one person would hold two values of a unique type
    limit,        // one person would hold more values of a type than it may in a while
    cannot_link,  // asserted
    shared,       // one end belongs to nobody
    blocked,      // asserted
    candidate,    // one end is an alias call's previousId that does not count
    size,         // links of that class would join more than Bounds allow
};

std::string_view to_string(Apart value);

// An identifier of a type that is not unique is also shared once it was seen with more others than
// this: a value that everybody sends names nobody, and its links would have to be walked again and
// again.
inline constexpr std::uint32_t kNeighboursMax = 200;

// Where links of some class connect more identifiers than this, or have more links, they and weaker
// ones join nobody there: the class is cut. Nothing is deleted, and better links join as before.
struct Bounds {
    std::uint32_t identifiers = 1000;
    std::uint32_t links = 5000;
};

struct RefusedLink {
    std::uint32_t link = 0;  // index of the link
    Apart reason = Apart::unique_type;
};

struct Partition {
    // Per node: the index of its person's best member, by (class of type, rank). A shared, blocked
    // or inactive node is alone.
    std::vector<std::uint32_t> anchor;
    std::vector<bool> shared;      // seen with too many others to belong to anyone
    std::vector<bool> active;      // false: an alias candidate that does not count
    std::vector<LinkClass> level;  // the weakest class of links that joins it
    // Per node: some link of its component was refused because of what was joined before, so that
    // the order of links matters there.
    std::vector<bool> contested;
    std::vector<std::uint32_t> component;        // per node: how many identifiers its component has
    std::vector<std::uint32_t> component_links;  // per node: and how many links
    std::vector<std::uint32_t> joined;           // links that joined two persons, in their order
    std::vector<std::uint32_t> must_joined;  // the same of FoldAssertions::must; they come first
    std::vector<RefusedLink> refused;
    std::vector<std::uint32_t> must_refused;  // must-links against a cannot-link, or of nobody
};

// Folds the links: inactive candidates and blocked identifiers drop out; shared identifiers are
// found from their direct neighbours and never join; classes that connect too many are cut; then
// must-links join, and the other links are taken in the order (class, class of the stronger end,
// days seen, last day, ranks), each joining two persons unless that breaks a constraint. The order
// is total and made of content alone, so any order and repetition of the same nodes and links gives
// the same persons.
Partition fold(std::span<const FoldNode> nodes, std::span<const FoldLink> links,
               const FoldAssertions& asserted = {}, const Bounds& bounds = {});

// Whether the first is the better anchor.
bool better_anchor(LinkClass a_class, const cdp::Rank& a, LinkClass b_class, const cdp::Rank& b);

}  // namespace identity
