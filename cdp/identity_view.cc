#include "cdp/identity_view.h"

#include <algorithm>
#include <span>
#include <vector>

namespace cdp {
namespace {

using identity::Hop;

// Hops away from the two that are looked at for what was taken back.
constexpr int kWiderMax = 2;

// Who is asked about; what is wrong is said of the parameter.
Result<Token> resolve(const IdentityNeeds& needs, IdentityReading& reading,
                      const NamedIdentifier& subject, const char* pointer) {
    auto token = needs.people.resolve(reading.reading(), subject.type, subject.value);
    if (token && CDP_TRY(needs.graph.find(reading.reading().transaction, *token))) return token;
    Error error = token ? Error{.code = ErrorCode::not_found,
                                .reason = "person_unknown",
                                .message = "Nobody is known by that identifier."}
                        : token.error();
    error.pointer = pointer;
    return error;
}

// A hop with its evidence, without what it is refused for.
Result<std::string> hop_json(IdentityReading& reading, const Hop& hop) {
    const auto folded = reading.near().folded();
    std::string out = "{\"from\":" + CDP_TRY(reading.identifier(hop.from)) +
                      ",\"to\":" + CDP_TRY(reading.identifier(hop.to)) +
                      ",\"joined\":" + json_bool(hop.joins()) + ",";
    const auto& [from, to] = std::tie(reading.member(hop.from).token, reading.member(hop.to).token);
    if (hop.by == Hop::By::must_link)
        return out + "\"class\":\"assertion\"," +
               assertions_member(
                   CDP_TRY(reading.assertions(from, identity::AssertionKind::must_link, to)));
    const auto& link = hop.by == Hop::By::link ? folded.links[hop.at] : folded.retracted[hop.at];
    out += CDP_TRY(reading.evidence(link.evidence));
    // What was taken back rests on no event any more.
    if (hop.by == Hop::By::retracted) return out;
    return out + ",\"events\":" + CDP_TRY(reading.events(from, to, link.evidence));
}

Result<std::string> path_json(IdentityReading& reading, const identity::Explanation& explained) {
    JsonList path;
    JsonList refused;
    for (std::size_t i = 0; i < explained.path.size(); ++i) {
        const Hop& hop = explained.path[i];
        auto json = CDP_TRY(hop_json(reading, hop));
        if (explained.same_person) json += std::string(",\"bridge\":") + json_bool(hop.bridge);
        path.add(json + "}");
        if (!hop.joins())
            refused.add("{\"hop\":" + std::to_string(i) + "," + CDP_TRY(reading.refusal(hop)) +
                        "}");
    }
    return "\"path\":" + path.str() + ",\"refused\":" + refused.str();
}

std::string person_json(const IdentityReading& reading, std::uint32_t node, bool active) {
    return active ? "\"" + to_hex(reading.person_of(node).view()) + "\"" : "null";
}

// The persons of the two, those two first.
std::vector<Token> persons_of(const IdentityReading& reading, std::span<const Token> two,
                              const identity::Folded& folded) {
    std::vector<Token> out(two.begin(), two.end());
    for (std::uint32_t node = 0; node < folded.nodes.size(); ++node) {
        const auto& token = reading.member(node).token;
        const auto anchor = folded.partition.anchor[node];
        if (std::ranges::find(two, token) == two.end() &&
            std::ranges::any_of(two, [&](const Token& one) {
                return folded.partition.anchor[reading.at(one)] == anchor;
            }))
            out.push_back(token);
    }
    return out;
}

// Of the first two of `start`. When nothing that is here connects them, those are loaded too whom
// one of them lost by a retraction: the way may lead through somebody who is nobody's now.
Result<identity::Explanation> explain_near(IdentityReading& reading, std::vector<Token>& start) {
    for (int wider = 0;; ++wider) {
        CDP_CHECK(reading.load(start));
        const auto& near = reading.near();
        const auto from = reading.at(start[0]);
        const auto to = reading.at(start[1]);
        auto explained = identity::explain(near.folded(), from, to);
        if (explained.same_person) return explained;
        auto searched = persons_of(reading, std::span(start).first(2), near.folded());
        searched.insert(searched.end(), start.begin() + 2, start.end());
        CDP_CHECK(reading.load_taken_back(searched));
        explained = identity::explain(near.folded(), from, to);
        const auto lost = reading.lost_ones();
        if (!explained.path.empty() || lost.empty() || wider == kWiderMax) return explained;
        start.insert(start.end(), lost.begin(), lost.end());
    }
}

}  // namespace

Result<Shown> IdentityView::explain(const NamedIdentifier& a, const NamedIdentifier& b) const {
    IdentityReading reading(needs_);
    std::vector start{CDP_TRY(resolve(needs_, reading, a, "/a"))};
    start.push_back(CDP_TRY(resolve(needs_, reading, b, "/b")));
    const auto explained = CDP_TRY(explain_near(reading, start));
    const auto from = reading.at(start[0]);
    const auto to = reading.at(start[1]);
    auto& near = reading.near();
    const auto active = [&](std::uint32_t node) {
        return static_cast<bool>(near.folded().partition.active[node]);
    };
    std::string out = "{\"a\":" + CDP_TRY(reading.identifier(from)) +
                      ",\"b\":" + CDP_TRY(reading.identifier(to)) +
                      ",\"same_person\":" + json_bool(explained.same_person);
    if (explained.same_person) {
        out += ",\"person\":" + person_json(reading, from, active(from)) +
               ",\"weakest\":" + (explained.weakest ? std::to_string(*explained.weakest) : "null");
    } else {
        out += ",\"persons\":[" + person_json(reading, from, active(from)) + "," +
               person_json(reading, to, active(to)) +
               "],\"connected\":" + json_bool(!explained.path.empty());
    }
    out += "," + CDP_TRY(path_json(reading, explained)) + "}";
    return reading.shown(std::move(out));
}

}  // namespace cdp
