#pragma once

#include <string>
#include <string_view>

#include "consent/record_words.h"

namespace cdp {

// What a signal's text says, in words that a person can read, as an object: of a TC string its
// platform, times, purposes and how many vendors; of a GPP string its sections and their opt-outs;
// of a US Privacy string its letters. {"fault":"…"} of what cannot be read at all. Pure.
std::string signal_json(consent::SignalType type, std::string_view text);

}  // namespace cdp
