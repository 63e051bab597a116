#include "cdp/sightings.h"

namespace cdp {

std::optional<Event> read_again(const StoredEvent& event, const Config& config) {
    const ParseContext context{.received = event.received,
                               .trust = event.trust,
                               .region = config.region_of(event.source),
                               .types = &config.types,
                               .new_message_id = [] { return std::string("stored"); }};
    auto again = parse_event(event.raw, event.type, context);
    if (!again) return std::nullopt;
    return std::move(*again);
}

std::vector<identity::Sighting> sightings_of(const Event& event, const identity::Graph& graph) {
    std::vector<identity::Sighting> sightings;
    sightings.reserve(event.identifiers.size());
    for (const auto& identifier : event.identifiers)
        sightings.push_back({identifier, graph.token(identifier.type, identifier.value)});
    return sightings;
}

}  // namespace cdp
