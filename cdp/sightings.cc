#include "cdp/sightings.h"

namespace cdp {

std::optional<Event> read_again(const StoredEvent& event, const Config& config) {
    const ParseContext context{.received = event.received,
                               .trust = event.trust,
                               .gpc = event.gpc,
                               .region = config.region_of(event.source),
                               .types = &config.types,
                               .new_message_id = [] { return std::string("stored"); }};
    auto again = parse_event(event.raw, event.type, context);
    if (!again) return std::nullopt;
    if (event.remnant) {
        again->traits.clear();
        again->group_traits.clear();
    }
    return std::move(*again);
}

std::vector<identity::Sighting> sightings_of(const Event& event, const identity::Graph& graph) {
    std::vector<identity::Sighting> sightings;
    sightings.reserve(event.identifiers.size());
    for (const auto& identifier : event.identifiers)
        sightings.push_back({identifier, graph.token(identifier.type, identifier.value)});
    return sightings;
}

std::optional<identity::Observation::Alias> alias_of(const Event& event,
                                                     const identity::Graph& graph,
                                                     const identity::IdentifierTypes& types) {
    if (!event.previous_id) return std::nullopt;
    const auto candidate = [&](const char* name) -> std::optional<identity::Sighting> {
        const auto type = types.find(name);
        const auto form = identity::normal_form(type, *event.previous_id, "");
        const auto* value = std::get_if<std::string>(&form);
        if (!value) return std::nullopt;
        return identity::Sighting{{name, *value, *event.previous_id, type.link_class},
                                  graph.token(name, *value)};
    };
    auto account = candidate("user_id");
    auto cookie = candidate("anonymous_id");
    if (!account || !cookie) return std::nullopt;
    return identity::Observation::Alias{std::move(*account), std::move(*cookie)};
}

identity::Observation observation_of(const Event& event, std::uint32_t source_hash,
                                     const identity::Graph& graph,
                                     const identity::IdentifierTypes& types) {
    identity::Observation out;
    out.sightings = sightings_of(event, graph);
    out.alias = alias_of(event, graph, types);
    out.time = event.time;
    out.source = source_hash;
    out.received = event.received;
    return out;
}

void leave_out(identity::Observation& seen, const std::function<bool(const Token&)>& whom) {
    std::erase_if(seen.sightings, [&](const identity::Sighting& one) { return whom(one.token); });
    if (seen.alias && (whom(seen.alias->account.token) || whom(seen.alias->cookie.token)))
        seen.alias.reset();
}

std::vector<Token> tokens_of(const identity::Observation& observation) {
    std::vector<Token> out;
    for (const auto& sighting : observation.sightings) out.push_back(sighting.token);
    if (observation.alias) {
        out.push_back(observation.alias->account.token);
        out.push_back(observation.alias->cookie.token);
    }
    return out;
}

}  // namespace cdp
