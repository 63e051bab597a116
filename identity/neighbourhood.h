#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "identity/component.h"
#include "identity/explain.h"
#include "identity/shared.h"

namespace identity {

// Two identifiers, and what was taken back of the links between them.
struct TakenLink {
    cdp::Token a;  // less than b
    cdp::Token b;
    Evidence evidence;            // of the best class of what was taken
    std::vector<AssertionId> by;  // ordered, each once
};

// One step of that.
struct Taking {
    cdp::Token a;
    cdp::Token b;
    LinkDays days;
    AssertionId by;
};

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
    // Finds what retractions of pairs and of sources took from the links of those who are here, as
    // far as it is looked for in a read of bounded length. After load; only what explains two
    // persons or refused links needs it.
    cdp::Result<void> load_retracted();
    // What was taken in another way: by assertions that take events. After load_retracted.
    void add_taken(std::span<const Taking> takings);
    // All that was found and added, by its ends, whether the other end is here or not and whether
    // the two are linked all the same.
    std::vector<const TakenLink*> taken() const;
    bool linked(const TakenLink& link) const;  // by what was not taken

    std::span<const Component::Member> members() const { return component_.members(); }
    std::optional<std::uint32_t> find(const cdp::Token& token) const {
        return component_.find(token);
    }
    // `retracted` are the taken links between those who are here and not linked any more.
    Folded folded() const {
        return {nodes_, links_, component_.asserted(), partition_, retracted_};
    }
    const TakenLink& retracted(std::uint32_t at) const { return *taken_at_[at]; }

private:
    cdp::Result<void> add_direct(std::span<const cdp::Token> start);
    cdp::Result<std::optional<Evidence>> direct(const Component::Member& a, const cdp::Token& b);
    std::uint64_t taken(const Component::Member& from, const cdp::Token& to,
                        const LinkDays& row) const;
    void take(const Taking& taking);
    void place_taken();

    storage::Transaction& transaction_;
    const Rules& rules_;
    Component component_;
    std::vector<FoldNode> nodes_ = {};
    std::vector<FoldLink> links_ = {};
    std::vector<StandingEntry> of_sources_ = {};
    std::map<std::pair<cdp::Token, cdp::Token>, TakenLink> taken_ = {};
    std::set<std::pair<std::uint32_t, std::uint32_t>> linked_ = {};
    std::vector<FoldLink> retracted_ = {};
    std::vector<const TakenLink*> taken_at_ = {};  // per retracted link
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
