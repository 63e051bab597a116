#include "cdp/paging.h"

#include "cdp/base/bytes.h"
#include "consent/sha256.h"

namespace cdp {
namespace {

constexpr std::size_t kTagBytes = 4;

// What a question's cursors begin with.
std::string tag_of(std::string_view question) {
    const auto hash = consent::sha256(question);
    return std::string(consent::view(hash).substr(0, kTagBytes));
}

}  // namespace

Result<void> check_limit(std::size_t limit) {
    if (limit >= 1 && limit <= kPageMax) return Result<void>::ok();
    return Error{.code = ErrorCode::invalid_argument,
                 .reason = "limit_out_of_range",
                 .message = "The limit must be from 1 to 1000.",
                 .pointer = "/limit"};
}

std::string cursor_to(std::string_view question, std::string_view place) {
    return to_hex(tag_of(question).append(place));
}

Result<std::string> place_in(std::string_view question, std::string_view cursor) {
    if (cursor.empty()) return std::string();
    const auto bytes = from_hex(cursor);
    // A place is never empty: that would be the start.
    if (!bytes || bytes->size() <= kTagBytes || !bytes->starts_with(tag_of(question)))
        return malformed_cursor();
    return bytes->substr(kTagBytes);
}

Error malformed_cursor(std::string pointer) {
    return {.code = ErrorCode::invalid_argument,
            .reason = "malformed_cursor",
            .message = "The cursor is not one that was given out.",
            .pointer = std::move(pointer)};
}

}  // namespace cdp
