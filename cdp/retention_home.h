#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
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

// What a step adds to.
struct PrunedSoFar {
    PrunedByRule& rules;        // one for each rule
    std::uint64_t& unreadable;  // rows that were left as they are
};

// What one commit may hold: so many rows are written at most. One event never needs more.
inline constexpr std::size_t kPrunedRowsMax = 5'000;

// Rows that damage took. Each is counted once, and nothing comes of it; other errors stay errors.
class DamagedRows {
public:
    template <typename T>
    Result<std::optional<T>> readable(std::string_view row, Result<T>&& read,
                                      std::uint64_t& count) {
        if (read) return std::optional<T>(std::move(*read));
        if (!is_damage(row, read.error(), count)) return read.error();
        return std::optional<T>();
    }

private:
    bool is_damage(std::string_view row, const Error& error, std::uint64_t& count);

    std::set<std::string> counted_ = {};
};

// The events filed under one identifier, newest first, and then its traits, some hundred rows a
// step. What a step found is written by its transaction alone: one that lost its race is done again
// by a copy from before. A row that cannot be read is counted and stays as it is.
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

    // Looks at `rows` at most, takes off how many it did, and writes no more than one commit holds.
    // Whether that was all.
    Result<bool> step(People::Reading reading, PrunedSoFar pruned, std::size_t& rows);
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
    std::string from_;  // key of the next row
    bool met_ = false;  // some row that is old enough
    std::int32_t day_ = 0;
    std::map<std::string, Alike> alike_ = {};
    // When events that stay were filed under what is named that day, or near it.
    std::map<Token, std::vector<Timestamp>> staying_ = {};
    DamagedRows damaged_ = {};
};

// No event above this has passed its time.
Timestamp latest_past_of(const Config& config, Timestamp now);

}  // namespace cdp
