#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cdp/config.h"
#include "cdp/event_remnant.h"
#include "cdp/facts.h"
#include "cdp/groups.h"
#include "cdp/people.h"
#include "cdp/sessions.h"
#include "consent/consents.h"
#include "identity/graph.h"
#include "storage/vault.h"

// What is past its time of one identifier; private to cdp/retention*.cc. docs/decisions/0034.
namespace cdp {

// By rule, in the order of Config::retention.
struct Pruned {
    std::uint64_t events = 0;      // of which a remnant is left, or nothing
    std::uint64_t properties = 0;  // taken out of events that stay
    std::uint64_t traits = 0;      // values of one identifier

    std::uint64_t all() const { return events + properties + traits; }
    friend bool operator==(const Pruned&, const Pruned&) = default;
};
using PrunedByRule = std::vector<Pruned>;

// The events filed under one identifier, newest first, and then its traits, some hundred rows a
// step. What a step found is written by its transaction alone: one that lost its race is done again
// by a copy from before.
class HomeRetention {
public:
    struct Needs {
        const storage::Vault& vault;
        const identity::Graph& graph;
        const consent::Consents& consents;
        const Groups& groups;
        const Config& config;
    };
    HomeRetention(const Needs& needs, const Token& home, Timestamp now);

    // Whether that was all. Adds to `pruned`, which has one for each rule.
    Result<bool> step(People::Reading reading, PrunedByRule& pruned);
    const Token& home() const { return home_; }

private:
    // Remnants that say the same, of the day at hand.
    struct Alike {
        struct One {
            Place place;
            std::vector<Token> named;
        };
        std::optional<One> last = {};   // the newest, of those with stamps
        std::optional<One> first = {};  // the oldest so far
    };
    // One step.
    class Step;

    const Needs* needs_;
    Token home_;
    Timestamp now_;
    bool has_parts_ = false;  // some rule may be about less than an event
    std::string from_;        // key of the next row
    bool met_ = false;        // some row that is old enough
    std::int32_t day_ = 0;
    std::map<std::string, Alike> alike_ = {};
};

// No event above this has passed its time.
Timestamp latest_past_of(const Config& config, Timestamp now);

}  // namespace cdp
