#include "cdp/stamps.h"

#include <algorithm>

namespace cdp {
namespace {

using consent::Scope;
using identity::LinkClass;

struct Bound {
    Token token;
    Scope scope;
};

bool is_account(const identity::Sighting& sighting) {
    return sighting.identifier.link_class == LinkClass::account;
}

bool is_device(const identity::Sighting& sighting) {
    const auto link_class = sighting.identifier.link_class;
    return link_class == LinkClass::device || link_class == LinkClass::cookie;
}

std::vector<Bound> bound_to(std::span<const identity::Sighting> sightings) {
    std::vector<Bound> bound;
    for (const auto& sighting : sightings)
        if (is_account(sighting)) bound.push_back({sighting.token, Scope::person});
    if (!bound.empty()) return bound;
    for (const auto& sighting : sightings)
        if (is_device(sighting)) bound.push_back({sighting.token, Scope::device});
    if (bound.empty()) bound.push_back({sightings.front().token, Scope::identifier});
    return bound;
}

// Of what is said of the device that was used, whoever used it.
std::vector<Bound> bound_to_device(std::span<const identity::Sighting> sightings, Scope scope) {
    std::vector<Bound> bound;
    for (const auto& sighting : sightings)
        if (is_account(sighting) || is_device(sighting)) bound.push_back({sighting.token, scope});
    if (bound.empty()) bound.push_back({sightings.front().token, scope});
    return bound;
}

class Reader {
public:
    Reader(const consent::Policy& policy, const SaidByEvent& said) : policy_(policy), said_(said) {}

    std::vector<BoundStamp> read() {
        bound_ = bound_to(said_.sightings);
        for (const Preference& preference : said_.preferences)
            if (const auto purpose = consent::purpose_of_category(policy_, preference.category))
                for (const auto& bound : bound_)
                    add(bound, *purpose,
                        preference.granted ? consent::State::granted : consent::State::denied);
        for (const ReadSignal& signal : said_.signals) read(signal);
        drop_contradicted();
        return std::move(stamps_);
    }

private:
    void read(const ReadSignal& signal) {
        const auto device = signal.signal.type == consent::SignalType::att
                                ? bound_to_device(said_.sightings, Scope::device)
                                : std::vector<Bound>{};
        for (const SignalWord& word : signal.reading->words) {
            if (word.state == consent::State::noticed) continue;
            const auto person = word.opts_out_person
                                    ? bound_to_device(said_.sightings, Scope::person)
                                    : std::vector<Bound>{};
            const auto& bound_by = word.opts_out_person ? person
                                   : !device.empty()    ? device
                                                        : bound_;
            for (const auto& bound : bound_by) {
                auto& stamp = add(bound, word.purpose, word.state);
                stamp.channel = word.channel;
                stamp.signal = signal.signal;
            }
        }
    }

    consent::Stamp& add(const Bound& bound, const std::string& purpose, consent::State state) {
        const auto origin = said_.trust == Trust::server ? consent::Origin::server_stamp
                                                         : consent::Origin::client_stamp;
        return stamps_
            .emplace_back(bound.token, consent::Stamp{.source = said_.source,
                                                      .purpose = purpose,
                                                      .state = state,
                                                      .scope = bound.scope,
                                                      .origin = origin,
                                                      .time = said_.time})
            .stamp;
    }

    // At the same moment the refusal holds anyway; written beside a grant it would have the whole
    // day's events read again to say so.
    void drop_contradicted() {
        const auto refused = [&](const BoundStamp& grant) {
            return std::ranges::any_of(stamps_, [&](const BoundStamp& other) {
                return other.token == grant.token && other.stamp.purpose == grant.stamp.purpose &&
                       other.stamp.channel.empty() && is_denial(other.stamp.state);
            });
        };
        std::vector<BoundStamp> left;
        for (auto& one : stamps_)
            if (is_denial(one.stamp.state) || !refused(one)) left.push_back(one);
        stamps_ = std::move(left);
    }

    const consent::Policy& policy_;
    const SaidByEvent& said_;
    std::vector<Bound> bound_;
    std::vector<BoundStamp> stamps_;
};

}  // namespace

std::vector<BoundStamp> stamps_of(const consent::Policy& policy, const SaidByEvent& said) {
    if (said.preferences.empty() && said.signals.empty()) return {};
    return Reader(policy, said).read();
}

}  // namespace cdp
