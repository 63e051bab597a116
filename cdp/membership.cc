#include "cdp/membership.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "identity/neighbourhood.h"
#include "identity/reach.h"

namespace cdp {
namespace {

// Beside types, which have no such name: links of the person are cut.
constexpr const char* kCut = "(links_cut)";

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

// Who is somebody's, or may be anybody's.
Result<bool> counts(const identity::Graph& graph, storage::Transaction& transaction,
                    const Token& token) {
    const auto node = CDP_TRY(graph.find(transaction, token));
    return node && node->active && !node->shared;
}

// The persons of some nodes, and what is shared beside them.
std::vector<bool> surrounding(const identity::Folded& folded,
                              std::span<const std::uint32_t> places) {
    const auto& partition = folded.partition;
    std::set<std::uint32_t> persons;
    for (const auto at : places) persons.insert(partition.anchor[at]);
    std::vector<bool> out(folded.nodes.size());
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = !partition.shared[i] && persons.contains(partition.anchor[i]);
    for (const auto& link : folded.links)
        for (const auto& [one, other] : {std::pair(link.a, link.b), std::pair(link.b, link.a)})
            if (partition.shared[one] && !partition.shared[other] &&
                persons.contains(partition.anchor[other]))
                out[one] = true;
    return out;
}

// Where they are; who is not there is left out.
std::vector<std::uint32_t> places_of(const identity::Neighbourhood& near,
                                     std::span<const Token> tokens) {
    std::vector<std::uint32_t> out;
    for (const Token& token : tokens)
        if (const auto at = near.find(token)) out.push_back(*at);
    return out;
}

// In every spelling that is held: a hash of what was proved is proved with it.
Result<std::vector<Token>> spelled(const Spellings::Needs& needs, People::Reading reading,
                                   std::span<const Spelling> named) {
    const Spellings spellings(needs);
    std::vector<Token> out;
    for (const auto& one : named) {
        out.push_back(one.token);
        std::ranges::copy(CDP_TRY(spellings.held_as(reading, one)), std::back_inserter(out));
    }
    return out;
}

}  // namespace

Result<std::vector<Token>> whole_of(const Spellings::Needs& needs, People::Reading reading,
                                    std::span<const Spelling> named) {
    std::vector<Token> start;
    for (const Token& token : CDP_TRY(spelled(needs, reading, named)))
        if (CDP_TRY(counts(needs.graph, reading.transaction, token))) start.push_back(token);
    std::vector<Token> out;
    if (start.empty()) return out;
    const auto rules = CDP_TRY(needs.graph.rules(reading.transaction));
    identity::Neighbourhood near(reading.transaction, rules);
    CDP_CHECK(near.load(start));
    const auto whole = surrounding(near.folded(), places_of(near, start));
    for (std::size_t i = 0; i < whole.size(); ++i)
        if (whole[i]) out.push_back(near.members()[i].token);
    return out;
}

Result<std::vector<Token>> Membership::check(People::Reading reading, const Proved& proved,
                                             std::span<const Token> taken) const {
    const auto& graph = needs_.graph;
    auto start = CDP_TRY(spelled({needs_.vault, graph, needs_.config}, reading, proved.named));
    start.insert(start.end(), proved.vouched.begin(), proved.vouched.end());
    std::vector<Token> concerned;
    for (const auto tokens : {std::span<const Token>(start), taken})
        for (const Token& token : tokens)
            if (CDP_TRY(counts(graph, reading.transaction, token))) concerned.push_back(token);
    std::vector<Token> shared;
    if (concerned.empty()) return shared;
    const auto rules = CDP_TRY(graph.rules(reading.transaction));
    identity::Neighbourhood near(reading.transaction, rules);
    CDP_CHECK(near.load(concerned));
    const auto folded = near.folded();
    const auto sources = CDP_TRY(believed(reading.snapshot, folded));
    const auto led_to = identity::reach(folded, places_of(near, start), sources);
    const auto whole = surrounding(folded, places_of(near, concerned));
    std::set<std::string> types;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        const auto& member = near.members()[i];
        if (whole[i] && !led_to[i]) types.insert(member.node.type);
        // Whoever weaker links would join is left out of it, and may be the better part.
        if (whole[i] && folded.partition.level[i] != identity::LinkClass::probabilistic &&
            std::ranges::find(proved.vouched, member.token) == proved.vouched.end())
            types.insert(kCut);
        if (whole[i] && folded.partition.shared[i]) shared.push_back(member.token);
    }
    if (!types.empty()) return unverified(types);
    return shared;
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
