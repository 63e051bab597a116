#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"
#include "identity/identifier.h"
#include "identity/quiet.h"
#include "storage/vault.h"

namespace identity {

// One identifier of one observation.
struct Sighting {
    Identifier identifier;
    cdp::Token token;
};

// What one event says about who is who.
struct Observation {
    std::vector<Sighting> sightings;  // at least one, best first, distinct

    // An alias call's previousId, as both things it may be; linked to the first sighting.
    struct Alias {
        Sighting account;
        Sighting cookie;
    };
    std::optional<Alias> alias = {};

    cdp::Timestamp time{};
    std::uint32_t source = 1;  // a hash of its name, never 0

    // Its event is retracted: who was seen becomes known, and nothing is linked.
    bool retracted = false;

    cdp::Timestamp received = time;  // by our clock, for what is announced
};

struct Observed {
    storage::SubjectKey home_key;  // of the first sighting

    // Whose persons may have changed: Graph::settle is owed them. Empty for most observations.
    std::vector<cdp::Token> unsettled = {};

    // What to tell Graph::committed once the transaction is; none when it need not be told.
    struct Said {
        Saying saying;
        QuietSayings::Ground ground;
    };
    std::optional<Said> said = {};
};

}  // namespace identity
