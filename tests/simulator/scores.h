#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tests/simulator/generator.h"

namespace simulator {

// Per event, whose it is. Equal labels: one person; the numbers mean nothing else.
using Labels = std::vector<std::uint32_t>;

struct Score {
    double precision = 1;
    double recall = 1;
    double f1 = 1;
};

// Over pairs of events: those put together that belong together. Big persons weigh most. Without
// any pair the score is 1.
Score pairwise(const Labels& truth, const Labels& found);

// Over events: how much of what an event was put together with belongs to it, and how much of what
// belongs to it was put together with it. Every event weighs the same.
Score b_cubed(const Labels& truth, const Labels& found);

// Share of the events that the biggest person has; 0 of none.
double biggest_share(const Labels& found);

// Persons whose events carry two accounts or more.
std::size_t with_two_accounts(std::span<const SimEvent> events, const Labels& found);

// How far two labellings of the same events agree: the pairwise F1 of one against the other, which
// is the same both ways.
double agreement(const Labels& a, const Labels& b);

Labels truth_of(std::span<const SimEvent> events);

}  // namespace simulator
