#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "identity/fold.h"

namespace identity {

// Disjoint sets of nodes being joined into persons, each with its best member and with what limits
// it: the values of limited types that it holds, and whom it must not meet.
class Persons {
public:
    Persons(std::span<const FoldNode> nodes, std::span<const FoldLink> links,
            const FoldAssertions& asserted);

    std::uint32_t anchor(std::uint32_t node) { return anchor_[find(node)]; }
    bool together(std::uint32_t a, std::uint32_t b) { return find(a) == find(b); }

    // Why the two may not be one person; nullopt: they have been joined, or were before.
    std::optional<Apart> join(std::uint32_t a, std::uint32_t b);
    // The same, but only a cannot-link stands against it.
    std::optional<Apart> must_join(std::uint32_t a, std::uint32_t b);

private:
    struct Days {
        std::int32_t first = 0;
        std::int32_t last = 0;
    };

    std::uint32_t find(std::uint32_t node);
    void unite(std::uint32_t a, std::uint32_t b);  // roots
    bool asserted_apart(std::uint32_t a, std::uint32_t b);
    std::optional<Apart> over_limit(std::uint32_t a, std::uint32_t b) const;
    bool too_many(const IdentifierType& type, const std::vector<std::uint32_t>& holders) const;

    std::span<const FoldNode> nodes_;
    std::vector<Days> seen_;  // per node: the days of all its links
    std::vector<std::uint32_t> parent_;
    std::vector<std::uint32_t> anchor_;
    std::vector<std::vector<std::uint32_t>> limited_;  // per root: nodes of limited types
    std::vector<std::vector<std::uint32_t>> cannot_;   // per root: nodes it must not meet
};

}  // namespace identity
