#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tests/simulator/generator.h"
#include "tests/simulator/scores.h"

// The platform itself on the stream: the bodies that SDKs and systems would send, in the order of
// delivery, and then what its export says of each event.
namespace simulator {

// The body a source posts for this event.
std::string body_of(const SimEvent& event);

// Each event is received at its own time of arrival, in whatever order: an event as received is a
// fact, and the order in which facts are taken up must not matter. An event whose only identifier
// is a made-up one is refused, and stands for a person of its own. Throws std::runtime_error when
// an event is refused for another reason.
Labels run_cdp(std::span<const SimEvent> events, std::span<const std::uint32_t> order);

}  // namespace simulator
