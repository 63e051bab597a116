#pragma once

#include <string>

#include "cdp/base/result.h"

namespace storage {

// The error of a transaction that lost every race it was given. `now`: what became of it, and what
// to do, to the end of the sentence.
inline cdp::Error contended(const std::string& now) {
    return {.code = cdp::ErrorCode::unavailable,
            .reason = "contended",
            .message = "Other facts of the same persons kept coming first; " + now};
}

}  // namespace storage
