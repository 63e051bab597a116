#include "identity/contradiction.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace identity {
namespace {

// Who must be one person with an identifier, and by which assertion each was reached from whom.
class MustWalk {
public:
    struct Step {
        cdp::Token from;
        AssertionId by;
    };

    // Over all must-links but the assertion itself.
    static cdp::Result<MustWalk> from(storage::Transaction& transaction, const cdp::Token& start,
                                      const AssertionId& itself) {
        MustWalk out;
        out.reached_.try_emplace(start);
        out.order_.push_back(start);
        for (std::size_t next = 0; next < out.order_.size(); ++next) {
            const auto at = out.order_[next];
            for (const auto& entry : CDP_TRY(Assertions::entries(transaction, at))) {
                if (entry.id == itself) continue;
                if (entry.kind == AssertionKind::cannot_link) out.cannot_.push_back(entry);
                if (entry.kind != AssertionKind::must_link || out.order_.size() == kMustWalkMax)
                    continue;
                if (out.reached_.try_emplace(entry.other, Step{at, entry.id}).second)
                    out.order_.push_back(entry.other);
            }
        }
        return out;
    }

    bool reaches(const cdp::Token& token) const { return reached_.contains(token); }
    // What the ones reached must not meet.
    const std::vector<StandingEntry>& cannot() const { return cannot_; }
    // The assertions of the shortest way to one that is reached.
    std::vector<AssertionId> way_to(cdp::Token token) const {
        std::vector<AssertionId> out;
        for (auto at = reached_.at(token); at; at = reached_.at(token)) {
            out.push_back(at->by);
            token = at->from;
        }
        std::ranges::reverse(out);
        return out;
    }

private:
    std::map<cdp::Token, std::optional<Step>> reached_;  // nullopt: the start
    std::vector<cdp::Token> order_;
    std::vector<StandingEntry> cannot_;
};

}  // namespace

cdp::Result<std::vector<AssertionId>> contradicted_by(storage::Transaction& transaction,
                                                      const Assertion& assertion) {
    using Ids = std::vector<AssertionId>;
    const bool must = assertion.kind == AssertionKind::must_link;
    if (!must && assertion.kind != AssertionKind::cannot_link) return Ids{};
    const auto& ends = assertion.identifiers;
    const auto first = CDP_TRY(MustWalk::from(transaction, ends[0], assertion.id));
    // Of two that must be one already a must-link says nothing new.
    if (first.reaches(ends[1])) return must ? Ids{} : first.way_to(ends[1]);
    if (!must) return Ids{};
    const auto second = CDP_TRY(MustWalk::from(transaction, ends[1], assertion.id));
    std::set<AssertionId> between;
    for (const auto& entry : first.cannot())
        if (second.reaches(entry.other)) between.insert(entry.id);
    return Ids(between.begin(), between.end());
}

}  // namespace identity
