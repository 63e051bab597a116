#pragma once

#include "cdp/base/result.h"

namespace identity {

// The error of stored identity data that cannot be read; `what` is for the log.
inline cdp::Error damaged(const char* what) {
    return {.code = cdp::ErrorCode::corruption,
            .reason = "store_damaged",
            .message = "Stored identity data is damaged.",
            .detail = what};
}

}  // namespace identity
