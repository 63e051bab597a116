#include "cdp/paging.h"

namespace cdp {

Result<void> check_limit(std::size_t limit) {
    if (limit >= 1 && limit <= kPageMax) return Result<void>::ok();
    return Error{.code = ErrorCode::invalid_argument,
                 .reason = "limit_out_of_range",
                 .message = "The limit must be from 1 to 1000.",
                 .pointer = "/limit"};
}

Error malformed_cursor(std::string pointer) {
    return {.code = ErrorCode::invalid_argument,
            .reason = "malformed_cursor",
            .message = "The cursor is not one that was given out.",
            .pointer = std::move(pointer)};
}

}  // namespace cdp
