#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "tests/simulator/scores.h"

namespace simulator {

// One resolver on one seed.
struct Row {
    Score b_cubed;
    Score pairwise;
    double biggest = 0;
    double late = 0;  // agreement with itself
    double shuffled = 0;
    std::size_t two_accounts = 0;
    double seconds = 0;  // one run of it
};

// In the order of the table.
struct Resolver {
    std::string name;
    std::vector<Row> rows;  // by seed
};

// What the stream is meant to show of cdp, on the mean of the seeds.
inline constexpr double kPairwiseGoal = .92;
inline constexpr double kBCubedGoal = .91;

// Sentences; empty when all goals are met.
std::vector<std::string> missed_goals(const Resolver& cdp);

// Means over the seeds, and for the F1 columns the least and greatest.
std::string table(std::span<const Resolver> resolvers);
std::string table_json(std::span<const Resolver> resolvers);

// Where a labelling loses: per group of events (channel, shared device, what the
// session tells, what the event itself carries) how
// many there are, their own B-cubed precision and recall, and their share of all that is lost.
std::string errors(std::span<const SimEvent> events, const Labels& truth, const Labels& found);

}  // namespace simulator
