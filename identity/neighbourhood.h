#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "identity/component.h"
#include "identity/explain.h"
#include "identity/shared.h"

namespace identity {

// Some identifiers with everything that they are connected to, folded: what explanations are made
// from. Reads what a fold of theirs would read; what is shared or blocked is seen from its
// neighbours alone.
class Neighbourhood {
public:
    // Both must outlive it.
    Neighbourhood(storage::Transaction& transaction, const Rules& rules)
        : transaction_(transaction),
          rules_(rules),
          component_(transaction, rules, Trusting::growth) {}

    // Once.
    cdp::Result<void> load(std::span<const cdp::Token> start);
    // Finds what was taken back between those who are here, as far as it is looked for in a read of
    // bounded length. After load; only what explains two persons needs it.
    cdp::Result<void> load_retracted();

    std::span<const Component::Member> members() const { return component_.members(); }
    std::optional<std::uint32_t> find(const cdp::Token& token) const {
        return component_.find(token);
    }
    Folded folded() const {
        return {nodes_, links_, component_.asserted(), partition_, retracted_};
    }

private:
    cdp::Result<void> add_direct(std::span<const cdp::Token> start);
    cdp::Result<std::optional<Evidence>> direct(const Component::Member& a, const cdp::Token& b);
    std::uint64_t taken(const Component::Member& from, const cdp::Token& to,
                        const LinkDays& row) const;

    storage::Transaction& transaction_;
    const Rules& rules_;
    Component component_;
    std::vector<FoldNode> nodes_ = {};
    std::vector<FoldLink> links_ = {};
    std::vector<FoldLink> retracted_ = {};
    Partition partition_ = {};
};

// The others that an identifier was seen with, as far as they are counted.
struct SeenWith {
    Neighbours others;
    bool more = false;         // there are others that were not counted
    std::string_view because;  // what makes it shared: accounts, contacts, cookies, all; or nothing
};

// Reads a bounded number of rows, however many there are.
cdp::Result<SeenWith> seen_with(storage::Transaction& transaction, const Rules& rules,
                                const cdp::Token& token, const Node& node);

}  // namespace identity
