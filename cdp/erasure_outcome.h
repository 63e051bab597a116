#pragma once

#include <optional>
#include <string_view>

#include "cdp/erasure_facts.h"

namespace cdp {

// What encode_outcome wrote: everything but whom it took, by whom and why. nullopt: it did not.
std::optional<Erasure> decode_outcome(std::string_view bytes);

}  // namespace cdp
