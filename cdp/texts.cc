#include "cdp/texts.h"

#include <algorithm>

#include "cdp/refuse.h"
#include "consent/utf8.h"

namespace cdp {

Result<void> check_reason(std::string_view reason) {
    if (reason.size() <= kReasonBytesMax && consent::is_line(reason)) return Result<void>::ok();
    return refuse("malformed_reason", "A reason is one line of at most 1024 bytes of UTF-8.",
                  "/reason");
}

Result<std::string> required_reason(std::string_view reason) {
    if (reason.find_first_not_of(" \t\r\n") == reason.npos)
        return refuse("reason_required", "Say why.", "/reason");
    CDP_CHECK(check_reason(reason));
    return std::string(reason);
}

Result<void> check_code(std::string_view code, std::string pointer) {
    constexpr std::size_t kMost = 64;
    const bool word = std::ranges::all_of(
        code, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
    if (word && !code.empty() && code.size() <= kMost) return Result<void>::ok();
    return refuse("malformed_code", "A code is a word of 1 to 64 of [a-z0-9_].",
                  std::move(pointer));
}

Result<void> check_idempotency_key(std::string_view key, std::string pointer) {
    if (key.size() <= kIdempotencyKeyBytesMax && consent::is_line(key)) return Result<void>::ok();
    return refuse("malformed_idempotency_key",
                  "What names a request is one line of at most 255 bytes of UTF-8.",
                  std::move(pointer));
}

}  // namespace cdp
