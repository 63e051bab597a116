#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "cdp/config.h"
#include "cdp/people.h"
#include "cdp/shown.h"
#include "identity/graph.h"
#include "identity/simulation.h"
#include "identity/upkeep.h"

namespace cdp {

struct SimulationRequest {
    identity::IdentifierTypes types;  // the other rules, whole

    // Whose identifiers are folded: of these and whatever they are connected to, or, when there are
    // none, of a part of all that is the same every time.
    struct Identifier {
        std::string type;
        std::string value;
    };
    std::vector<Identifier> identifiers = {};
    double part = 1.0;  // over 0, up to 1

    std::size_t examples = 10;  // of each kind of change
};

// What a start with other rules would make of the evidence there is. Safe to use from many threads;
// everything it refers to must outlive it.
class RuleSimulation {
public:
    struct Needs {
        const storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const People& people;
        const Config& config;
    };
    explicit RuleSimulation(Needs needs) : needs_(needs) {}

    // As JSON; changes nothing and waits for the disk. `report` is told once before anything is
    // folded, when all that was asked for is known, and then as it goes; the simulation stops when
    // it answers false. Errors: identifier_unknown (not_found), simulation_running (overloaded: one
    // at a time), simulation_too_large, stopped.
    Result<Shown> run(const SimulationRequest& request, const identity::Report& report) const;

private:
    Result<std::vector<Token>> tokens_of(People::Reading reading,
                                         const SimulationRequest& request) const;

    Needs needs_;
    mutable std::atomic<bool> running_ = false;
};

}  // namespace cdp
