#pragma once

#include <cstdint>
#include <span>

#include "tests/simulator/generator.h"
#include "tests/simulator/scores.h"

// Small re-implementations of how others resolve identities, written from their public documents
// alone and never compared with the products. Each takes the events in the order of delivery and
// answers whose each is after the last one.
//
// All are given contacts in normal form, which is kinder than the documents promise. An alias call
// counts as an event of its user id: none of them documents more for it.
namespace simulator {

// Whatever shares an identifier is one person.
Labels connected_components(std::span<const SimEvent> events, std::span<const std::uint32_t> order);

// Segment Unify, "flat matching": the persons that own an identifier of the event are merged with
// it, unless the result would exceed a limit (user_id 1, other types 5); then the identifier of
// lowest priority (user_id, email, the others by name) is left out and the rest tried again. Of
// the blocked values those that Segment ships. Left out: windows of limits ("5 weekly" and so on,
// which are advice; the shipped limits are for ever), the caps of 500 links and 1,000 identifiers.
Labels segment_like(std::span<const SimEvent> events, std::span<const std::uint32_t> order);

// Snowplow Identities with user_id as the one unique identifier: the newer person is merged into
// the older; a merge of two unique values is refused and the event's identifiers then have several
// owners; an event without a unique value on such an identifier gets an id made of the identifier
// alone. Left out: fallback ids while the store is away, priorities among several anonymous
// persons beyond age.
Labels snowplow_like(std::span<const SimEvent> events, std::span<const std::uint32_t> order);

// Adobe's graph linking rules with user_id as unique namespace: every link is replayed, newest
// event first, ties by summed priority (person, then hardware, then browser), and a link that
// would put two unique values together is left out. An event belongs to the graph of its
// identifier of highest priority. Left out: the limit of 50 identities and its first-in first-out
// deletion, graphs that are repaired only when touched again.
Labels adobe_like(std::span<const SimEvent> events, std::span<const std::uint32_t> order);

// No resolver: what one could do at best that is told, of every identifier, which of its events are
// whose. Events of one actor are together when identifiers of that actor lead from one to the
// other, also by a previous id and from an address to its hash. What is missing was never said.
Labels ceiling(std::span<const SimEvent> events, std::span<const std::uint32_t> order);

// The same, but nobody tells whose a session is in which nobody said so, on a device that several
// people use: each such session is a person of its own. Whatever is better than this row guesses.
Labels ceiling_without_guesses(std::span<const SimEvent> events,
                               std::span<const std::uint32_t> order);

}  // namespace simulator
