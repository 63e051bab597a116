#pragma once

#include <string>
#include <utility>

#include "cdp/base/result.h"

namespace cdp {

// The error of what cannot be taken as it was sent; `pointer` names the place.
inline Error refuse(std::string reason, std::string message, std::string pointer) {
    return {.code = ErrorCode::invalid_argument,
            .reason = std::move(reason),
            .message = std::move(message),
            .pointer = std::move(pointer)};
}

}  // namespace cdp
