#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cdp/base/result.h"
#include "identity/assertion.h"
#include "identity/change.h"
#include "identity/fold.h"
#include "identity/node.h"
#include "storage/transaction.h"

// A raw component as stored: loaded, folded, and written back where the fold says otherwise.
namespace identity {

using TypeOf = std::function<const IdentifierType&(std::string_view name)>;

// What the fold of stored evidence is a function of, beside the evidence.
struct Rules {
    TypeOf type_of;
    std::vector<Retraction> retractions;  // of whole sources
    Bounds bounds = {};
};

std::string member_key(const cdp::Token& anchor, const cdp::Token& member);

// How much of what earlier folds stored may be relied on.
enum class Trusting : std::uint8_t {
    growth,  // there is only more evidence than before: what is shared stays so, cuts stay
    afresh,  // anything may have changed
};

// Everything reachable from some identifiers through links that may join: enough to fold them.
class Component {
public:
    Component(storage::Transaction& transaction, const Rules& rules, Trusting trusting)
        : transaction_(transaction), rules_(rules), trusting_(trusting) {}

    // Once. Walks no further than classes that are cut.
    cdp::Result<void> load(std::span<const cdp::Token> start);

    struct Member {
        cdp::Token token;
        Node node;
        Standing standing = {};
        bool expanded = false;  // its links are here; else it is only somebody's neighbour
        bool shared = false;
        bool blocked = false;
    };
    std::span<const Member> members() const { return members_; }
    std::optional<std::uint32_t> find(const cdp::Token& token) const;

    std::vector<FoldNode> nodes() const;
    std::span<const FoldLink> links() const { return links_; }
    const FoldAssertions& asserted() const { return asserted_; }
    Partition folded() const { return fold(nodes(), links_, asserted_, rules_.bounds); }

    // Members that joined others before and join nobody now: whoever was joined through them is to
    // be folded too, and need not be here.
    std::vector<cdp::Token> left_behind(const Partition& partition) const;

    // Whether classes that are cut here might join again: an identifier that connected too many
    // turned out to be nobody's, which no cut that is stored knows.
    bool may_rise(const Partition& partition) const;

    // Writes the nodes, memberships and history that the partition changes; adds the moves.
    cdp::Result<void> write(const Partition& partition, const Cause& cause,
                            std::vector<Move>& moves);

private:
    // The links of one member, one for each neighbour.
    struct Adjacency {
        std::unordered_map<cdp::Token, Evidence> evidence;
        std::vector<cdp::Token> order;  // as stored
    };

    cdp::Result<void> walk(const cdp::Token& start);
    cdp::Result<std::uint32_t> visit(const cdp::Token& token);
    void enqueue(std::uint32_t at);
    cdp::Result<void> expand(std::uint32_t at);
    cdp::Result<Adjacency> links_of(std::uint32_t at);
    cdp::Result<bool> proves_shared(const Member& member, const Adjacency& adjacency);
    cdp::Result<void> walk_assertions(std::uint32_t at);
    LinkClass level_of(const Member& member) const;
    bool link_once(std::uint32_t a, std::uint32_t b);
    void keep_apart();
    bool too_many() const;
    void reset();

    Node placed(const Partition& partition, std::uint32_t at) const;
    cdp::Result<std::optional<Move>> move(const Partition& partition, std::uint32_t at,
                                          const Node& after, const Cause& cause);
    cdp::PersonId successor_of(const Partition& partition, std::uint32_t at) const;

    storage::Transaction& transaction_;
    const Rules& rules_;
    Trusting trusting_;
    LinkClass cut_ = LinkClass::probabilistic;  // afresh: weaker links were found to join too many
    std::vector<Member> members_;
    std::unordered_map<cdp::Token, std::uint32_t> index_;
    std::deque<std::uint32_t> frontier_;
    std::set<std::pair<std::uint32_t, std::uint32_t>> linked_;
    std::vector<FoldLink> links_;
    FoldAssertions asserted_;
};

// Folds what surrounds the identifiers after there was more evidence, and writes what changed.
cdp::Result<void> refold(storage::Transaction& transaction, const Rules& rules,
                         std::span<const cdp::Token> start, const Cause& cause);

// The same after anything changed: assertions, rules. Each identifier's component by itself.
// Answers the identifiers that were folded.
cdp::Result<std::vector<cdp::Token>> refold_afresh(storage::Transaction& transaction,
                                                   const Rules& rules,
                                                   std::span<const cdp::Token> start,
                                                   const Cause& cause);

}  // namespace identity
