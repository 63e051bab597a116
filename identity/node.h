#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"
#include "identity/identifier.h"

namespace identity {

// What is stored of one identifier, under Space::node and its token. All but the value itself is
// pseudonymous; the value is sealed under the identifier's own key.
struct Node {
    std::string type;
    LinkClass link_class = LinkClass::crm;  // of the type
    cdp::Rank rank{};
    bool seen = false;       // in an event or a consent of its own; see FoldNode
    bool shared = false;     // belongs to nobody, see IdentifierType
    bool blocked = false;    // by an assertion: joins nobody, and nothing is concluded from it
    bool asserted = false;   // something is asserted of it
    bool contested = false;  // some link of its raw component was refused: their order matters
    bool active = true;      // false: an alias candidate that does not count
    LinkClass level = LinkClass::probabilistic;  // the weakest class of links that joins it
    std::optional<cdp::Token> twin;              // the other candidate of an alias call
    cdp::Timestamp first_seen{};                 // the least event time

    // The person: its best member. Zero while it has no place.
    cdp::Token anchor{};
    cdp::Rank anchor_rank{};
    LinkClass anchor_class = LinkClass::crm;

    // Of an anchor: how many identifiers its component has, and links; at least, since the last
    // fold.
    std::uint32_t component = 1;
    std::uint32_t component_links = 0;

    std::string sealed;  // of NodeValue, in the context of the node's key

    // Not yet: made by the transaction at hand, whose fold will say.
    bool placed() const { return anchor != cdp::Token{}; }
    cdp::PersonId person() const { return cdp::PersonId{anchor_rank.bytes}; }

    friend bool operator==(const Node&, const Node&) = default;
};

// The part that identifies.
struct NodeValue {
    std::string value;  // normal form
    std::string raw;    // as first stored
};

std::string node_key(const cdp::Token& token);
std::string encode(const Node& node);
std::optional<Node> decode_node(std::string_view bytes);
// As data folders of format 1 held it.
std::optional<Node> decode_node_of_format_1(std::string_view bytes);
std::string encode(const NodeValue& value);
std::optional<NodeValue> decode_node_value(std::string_view bytes);

}  // namespace identity
