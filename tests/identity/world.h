#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "identity/fold.h"
#include "identity/graph.h"
#include "identity/hashed.h"
#include "storage/memory_store.h"
#include "storage/vault.h"
#include "tests/support/any_order.h"
#include "tests/support/keyring.h"

// A small crowded world of identifiers, so that a few dozen events already share cookies, contest
// accounts and pass limits.
namespace tests {

// What a stored identifier came to: its person's anchor, whether it is shared, counts or is
// blocked, and which links still join it.
struct Place {
    cdp::Token anchor;
    bool shared = false;
    bool active = true;
    bool blocked = false;
    identity::LinkClass level = identity::LinkClass::probabilistic;
    friend bool operator==(const Place&, const Place&) = default;
};
using Places = std::map<cdp::Token, Place>;

// For the reader of a failed test.
inline std::string difference(const Places& a, const Places& b) {
    std::string out;
    const auto text = [](const Place* place) {
        if (!place) return std::string("-");
        std::string line = cdp::to_hex(place->anchor.view()).substr(0, 6);
        for (const auto& [flag, name] :
             {std::pair(place->shared, " shared"), std::pair(!place->active, " inactive"),
              std::pair(place->blocked, " blocked")})
            if (flag) line += name;
        return line + " level " + std::string(identity::to_string(place->level));
    };
    const auto find = [](const Places& places, const cdp::Token& token) {
        const auto at = places.find(token);
        return at == places.end() ? nullptr : &at->second;
    };
    auto all = a;
    all.insert(b.begin(), b.end());
    for (const auto& [token, place] : all) {
        const auto left = text(find(a, token));
        const auto right = text(find(b, token));
        if (left != right)
            out += cdp::to_hex(token.view()).substr(0, 6) + ": " + left + " | " + right + "\n";
    }
    return out;
}

class IdentityWorld {
public:
    explicit IdentityWorld(const identity::Bounds& bounds = {})
        : vault_(fixed_keyring()), types_(identity::IdentifierTypes::defaults()), bounds_(bounds) {}

    identity::IdentifierTypes& types() { return types_; }
    const identity::Bounds& bounds() const { return bounds_; }

    const storage::Vault& vault() const { return vault_; }
    const identity::IdentifierTypes& types() const { return types_; }

    identity::Sighting sighting(const std::string& type, const std::string& value,
                                bool verified = false) const {
        auto link_class = types_.find(type).link_class;
        if (verified) link_class = identity::LinkClass::verified_contact;
        return {{type, value, value, link_class}, vault_.token(type, value)};
    }

    // Values of worlds with different prefixes have nothing in common.
    identity::Observation random_observation(cdp::Random& random,
                                             const std::string& world = "") const {
        const auto pick = [&](const char* prefix, std::uint64_t n) {
            return world + prefix + std::to_string(random.below(n));
        };
        identity::Observation out;
        if (random.one_in(2)) out.sightings.push_back(sighting("user_id", pick("u", 5)));
        if (random.one_in(4))
            out.sightings.push_back(
                sighting("email", pick("e", 6) + "@shop.example", random.one_in(2)));
        if (random.one_in(10))
            out.sightings.push_back(
                sighting("email_sha256", identity::sha256_hex(pick("e", 6) + "@shop.example")));
        if (random.one_in(8)) out.sightings.push_back(sighting("loyalty_id", pick("l", 4)));
        if (random.one_in(4)) out.sightings.push_back(sighting("device_id", pick("d", 5)));
        if (random.one_in(3)) out.sightings.push_back(sighting("shop.badge", pick("b", 6)));
        if (out.sightings.empty() || !random.one_in(3))
            out.sightings.push_back(sighting("anonymous_id", pick("a", 12)));
        if (random.one_in(8)) {
            const auto previous = random.one_in(2) ? pick("a", 12) : pick("u", 5);
            if (previous != out.sightings[0].identifier.value)
                out.alias = identity::Observation::Alias{sighting("user_id", previous),
                                                         sighting("anonymous_id", previous)};
        }
        out.time = cdp::timestamp_of(static_cast<std::int64_t>(random.below(100)) * 86'400'000);
        out.source = static_cast<std::uint32_t>(1 + random.below(3));
        return out;
    }

    std::vector<identity::Observation> random_observations(cdp::Random& random, std::size_t n,
                                                           const std::string& of = "") const {
        std::vector<identity::Observation> all;
        for (std::size_t i = 0; i < n; ++i) all.push_back(random_observation(random, of));
        return all;
    }

private:
    storage::Vault vault_;
    identity::IdentifierTypes types_;
    identity::Bounds bounds_;
};

}  // namespace tests
