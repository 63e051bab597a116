#include "cdp/membership.h"

#include <algorithm>
#include <set>
#include <string>

#include "cdp/named_persons.h"
#include "identity/neighbourhood.h"
#include "identity/reach.h"

namespace cdp {
namespace {

Error unverified(const std::set<std::string>& types) {
    std::string detail;
    for (const auto& type : types) detail += (detail.empty() ? "" : " ") + type;
    return {.code = ErrorCode::conflict,
            .reason = kMembershipUnverified,
            .message =
                "Only what anybody can send joins what was proved to the rest of the "
                "person; an officer says whether it is theirs.",
            .detail = detail};
}

}  // namespace

Result<void> Membership::check(People::Reading reading, std::span<const Token> proved) const {
    std::vector<Token> start;
    for (const Token& token : CDP_TRY(held_of(needs_.graph, reading.transaction, proved))) {
        const auto node = CDP_TRY(needs_.graph.find(reading.transaction, token));
        if (node && node->active && !node->shared) start.push_back(token);
    }
    if (start.empty()) return Result<void>::ok();
    const auto rules = CDP_TRY(needs_.graph.rules(reading.transaction));
    identity::Neighbourhood near(reading.transaction, rules);
    CDP_CHECK(near.load(start));
    const auto folded = near.folded();
    std::vector<std::uint32_t> places;
    std::set<std::uint32_t> persons;
    for (const Token& token : start)
        if (const auto at = near.find(token)) {
            places.push_back(*at);
            persons.insert(folded.partition.anchor[*at]);
        }
    const auto reached =
        identity::reach(folded, places, CDP_TRY(believed(reading.snapshot, folded)));
    std::set<std::string> types;
    for (std::size_t i = 0; i < reached.size(); ++i)
        if (!reached[i] && persons.contains(folded.partition.anchor[i]))
            types.insert(near.members()[i].node.type);
    if (!types.empty()) return unverified(types);
    return Result<void>::ok();
}

Result<std::set<std::uint32_t>> Membership::believed(const storage::Snapshot& snapshot,
                                                     const identity::Folded& folded) const {
    std::set<std::uint32_t> all;
    for (const auto& link : folded.links)
        all.insert(link.evidence.sources.begin(), link.evidence.sources.end());
    std::set<std::uint32_t> out;
    for (const auto source : all) {
        const auto kept = CDP_TRY(needs_.sources.find(snapshot, source));
        if (kept && kept->trust == Trust::server) out.insert(source);
    }
    return out;
}

}  // namespace cdp
