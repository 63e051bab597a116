#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cdp/base/result.h"

// Texts of callers that are kept beside what they did: one rule each, wherever one enters.
namespace cdp {

inline constexpr std::size_t kReasonBytesMax = 1024;

// malformed_reason, its pointer /reason: not UTF-8, more than kReasonBytesMax, or more than a line,
// which no control character is part of. An empty one was not said.
Result<void> check_reason(std::string_view reason);
// The same of one that must be said: reason_required. As it is kept.
Result<std::string> required_reason(std::string_view reason);

// malformed_code: not a word of 1 to 64 of [a-z0-9_].
Result<void> check_code(std::string_view code, std::string pointer);

inline constexpr std::size_t kIdempotencyKeyBytesMax = 255;

// malformed_idempotency_key: no line of UTF-8, or longer. An empty one was not sent.
Result<void> check_idempotency_key(std::string_view key, std::string pointer);

}  // namespace cdp
