#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "identity/fold.h"

// Why two identifiers are one person, or are not, read off the fold. Pure.
namespace identity {

// What was folded, and what came of it.
struct Folded {
    std::span<const FoldNode> nodes;
    std::span<const FoldLink> links;
    const FoldAssertions& asserted;
    const Partition& partition;
    std::span<const FoldLink> retracted = {};  // links that would be there but were taken back
};

// One step of a path.
struct Hop {
    enum class By : std::uint8_t { link, must_link, retracted };

    std::uint32_t from = 0;  // indices of nodes
    std::uint32_t to = 0;
    By by = By::link;
    std::uint32_t at = 0;  // index of the link, of FoldAssertions::must, or of the retracted link
    std::optional<Apart> refused = {};  // why it does not join
    bool bridge = false;  // without it nothing that was seen or asserted would join the two

    bool joins() const { return by != By::retracted && !refused; }
    friend bool operator==(const Hop&, const Hop&) = default;
};

struct Explanation {
    bool same_person = false;
    // Of one person: the links that joined the two, which are the strongest there are, for no other
    // path has a better weakest hop. Of two: the way between them with the fewest hops that do not
    // join, of those the one of the strongest classes. Empty when nothing connects them.
    std::vector<Hop> path;
    std::optional<std::size_t>
        weakest;  // of one person: the hop that came last in the fold's order
};

Explanation explain(const Folded& folded, std::uint32_t a, std::uint32_t b);

// The identifiers that a hop is refused because of, each on its side of it, best first: values of
// one type that would meet; two that are asserted apart; an end that joins nobody.
struct Clash {
    std::vector<std::uint32_t> from;
    std::vector<std::uint32_t> to;
};
Clash clash_of(const Folded& folded, const Hop& hop);

// Why no link of the node joins; nullopt: some may.
std::optional<Apart> out_of_play(const Folded& folded, std::uint32_t node);

}  // namespace identity
