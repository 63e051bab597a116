#include "cdp/stamps.h"

namespace cdp {
namespace {

using identity::LinkClass;

struct Bound {
    Token token;
    consent::Scope scope;
};

std::vector<Bound> bound_to(std::span<const identity::Sighting> sightings) {
    std::vector<Bound> bound;
    for (const auto& [identifier, token] : sightings)
        if (identifier.link_class == LinkClass::account)
            bound.push_back({token, consent::Scope::person});
    if (!bound.empty()) return bound;
    for (const auto& [identifier, token] : sightings)
        if (identifier.link_class == LinkClass::device ||
            identifier.link_class == LinkClass::cookie)
            bound.push_back({token, consent::Scope::device});
    if (bound.empty()) bound.push_back({sightings.front().token, consent::Scope::identifier});
    return bound;
}

}  // namespace

std::vector<BoundStamp> stamps_of(const consent::Policy& policy,
                                  std::span<const Preference> preferences,
                                  std::span<const identity::Sighting> sightings,
                                  const std::string& source, Trust trust, Timestamp time) {
    std::vector<BoundStamp> stamps;
    if (preferences.empty()) return stamps;
    const auto bound = bound_to(sightings);
    const auto origin =
        trust == Trust::server ? consent::Origin::server_stamp : consent::Origin::client_stamp;
    for (const Preference& preference : preferences) {
        const auto purpose = consent::purpose_of_category(policy, preference.category);
        if (!purpose) continue;
        const auto state = preference.granted ? consent::State::granted : consent::State::denied;
        for (const auto& [token, scope] : bound)
            stamps.push_back({token, {source, *purpose, state, scope, origin, time}});
    }
    return stamps;
}

}  // namespace cdp
