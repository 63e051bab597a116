#pragma once

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "identity/assertion.h"
#include "identity/fold.h"
#include "identity/hashed.h"
#include "tests/identity/world.h"

namespace tests {

// The same question answered in one go: every identifier and link of all observations, and
// everything asserted, in one fold.
class AllAtOnce {
public:
    AllAtOnce(const IdentityWorld& world, const std::vector<identity::Observation>& observations,
              const std::vector<identity::Assertion>& asserted = {})
        : world_(world), asserted_(asserted) {
        for (const auto& observation : observations) add(observation);
        for (const auto& [token, known] : known_) add_hashes(token, known);
    }

    identity::Partition partition() const {
        return identity::fold(nodes(), links(), constraints(), world_.bounds());
    }

    Places places() const {
        const auto folded = partition();
        Places out;
        for (std::size_t i = 0; i < order_.size(); ++i)
            out[order_[i]] = {order_[folded.anchor[i]], folded.shared[i], folded.active[i],
                              blocked(order_[i]), folded.level[i]};
        return out;
    }

private:
    struct Known {
        identity::IdentifierType type;
        std::string value;
        cdp::Rank rank;
        bool seen = false;
        std::optional<cdp::Token> twin;
    };

    std::vector<identity::FoldNode> nodes() const {
        std::vector<identity::FoldNode> out;
        for (const auto& token : order_) {
            const auto& known = known_.at(token);
            identity::FoldNode node{.rank = known.rank, .type = &known.type, .seen = known.seen};
            if (known.twin) node.twin = index(*known.twin);
            node.shared = says(identity::AssertionKind::shared, token);
            node.blocked = blocked(token);
            out.push_back(node);
        }
        return out;
    }

    std::vector<identity::FoldLink> links() const {
        std::vector<identity::FoldLink> out;
        for (const auto& [pair, rows] : links_) {
            std::optional<identity::Evidence> evidence;
            // The best class alone.
            for (auto row : by_class(rows)) {
                for (const auto& assertion : asserted_)
                    if (retracts(assertion, pair)) row.days &= ~assertion.range.days_of(row);
                if (row.days == 0) continue;
                if (evidence && evidence->link_class != row.link_class) break;
                if (evidence)
                    identity::join(*evidence, identity::evidence_of(row));
                else
                    evidence = identity::evidence_of(row);
            }
            if (evidence)
                out.push_back({static_cast<std::uint32_t>(index(pair.first)),
                               static_cast<std::uint32_t>(index(pair.second)), *evidence});
        }
        return out;
    }

    static std::vector<identity::LinkDays> by_class(std::vector<identity::LinkDays> rows) {
        std::ranges::stable_sort(rows, {}, &identity::LinkDays::link_class);
        return rows;
    }

    identity::FoldAssertions constraints() const {
        identity::FoldAssertions out;
        for (const auto& assertion : asserted_) {
            if (assertion.identifiers.size() != 2) continue;
            const std::pair pair{static_cast<std::uint32_t>(index(assertion.identifiers[0])),
                                 static_cast<std::uint32_t>(index(assertion.identifiers[1]))};
            if (assertion.kind == identity::AssertionKind::must_link) out.must.push_back(pair);
            if (assertion.kind == identity::AssertionKind::cannot_link) out.cannot.push_back(pair);
        }
        return out;
    }

    static bool retracts(const identity::Assertion& assertion,
                         const std::pair<cdp::Token, cdp::Token>& pair) {
        if (assertion.kind != identity::AssertionKind::retract) return false;
        const auto& ids = assertion.identifiers;
        return ids.empty() ||
               std::pair<cdp::Token, cdp::Token>(std::minmax(ids[0], ids[1])) == pair;
    }

    bool says(identity::AssertionKind kind, const cdp::Token& token) const {
        return std::ranges::any_of(asserted_, [&](const auto& assertion) {
            return assertion.kind == kind && assertion.identifiers.front() == token;
        });
    }
    bool blocked(const cdp::Token& token) const {
        return says(identity::AssertionKind::block, token);
    }

    void add(const identity::Observation& o) {
        for (const auto& s : o.sightings) know(s).seen = true;
        for (std::size_t a = 0; a < o.sightings.size(); ++a)
            for (std::size_t b = a + 1; b < o.sightings.size(); ++b)
                link(o, o.sightings[a], o.sightings[b]);
        if (!o.alias) return;
        for (const auto* s : {&o.alias->account, &o.alias->cookie}) {
            auto& known = know(*s);
            known.twin = (s == &o.alias->account ? o.alias->cookie : o.alias->account).token;
            if (std::ranges::none_of(o.sightings, [&](auto& t) { return t.token == s->token; }))
                link(o, o.sightings[0], *s);
        }
    }

    Known& know(const identity::Sighting& s) {
        auto [at, fresh] = known_.try_emplace(s.token);
        if (fresh) {
            at->second.type = world_.types().find(s.identifier.type);
            at->second.value = s.identifier.value;
            at->second.rank = world_.vault().rank(s.identifier.type, s.identifier.value);
            order_.push_back(s.token);
        }
        return at->second;
    }

    void link(const identity::Observation& o, const identity::Sighting& a,
              const identity::Sighting& b) {
        const auto row =
            identity::link_day(std::max(a.identifier.link_class, b.identifier.link_class),
                               cdp::day_of(o.time), o.source);
        links_[std::minmax(a.token, b.token)].push_back(row);
    }

    void add_hashes(const cdp::Token& token, const Known& known) {
        const auto hashed = identity::hashed_type_of(known.type.name);
        if (!hashed) return;
        for (const auto& form : identity::hashed_forms(known.type.form, known.value)) {
            const auto hash = world_.vault().token(*hashed, form.hex);
            if (known_.contains(hash))
                links_[std::minmax(token, hash)].push_back(identity::hash_equality());
        }
    }

    int index(const cdp::Token& token) const {
        const auto at = std::ranges::find(order_, token);
        return at == order_.end() ? -1 : static_cast<int>(at - order_.begin());
    }

    const IdentityWorld& world_;
    std::vector<identity::Assertion> asserted_;
    std::map<cdp::Token, Known> known_;
    std::vector<cdp::Token> order_;
    std::map<std::pair<cdp::Token, cdp::Token>, std::vector<identity::LinkDays>> links_;
};

}  // namespace tests
