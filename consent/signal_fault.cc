#include "consent/signal_fault.h"

#include <array>
#include <string>

#include "cdp/base/assert.h"

namespace consent {

namespace {

struct Wording {
    SignalFault fault;
    std::string_view name;
    std::string_view message;
};

constexpr std::array kWordings = {
    Wording{SignalFault::none, "none", "The signal was read."},
    Wording{SignalFault::empty, "empty", "The consent string is empty."},
    Wording{SignalFault::too_long, "too_long", "The consent string is too long."},
    Wording{SignalFault::bad_character, "bad_character",
            "The consent string has a character that base64url does not have."},
    Wording{SignalFault::truncated, "truncated",
            "The consent string ends before its last field does."},
    Wording{SignalFault::malformed, "malformed",
            "A field of the consent string has a value that its format does not have."},
    Wording{SignalFault::trailing_bits, "trailing_bits",
            "The consent string goes on after its last field."},
    Wording{SignalFault::version_unknown, "version_unknown",
            "The consent string, or a section of it, is of a version that is not read here."},
    Wording{SignalFault::segment_unknown, "segment_unknown",
            "The consent string has a segment of an unknown type."},
    Wording{SignalFault::segment_repeated, "segment_repeated",
            "The consent string has the same segment twice."},
    Wording{SignalFault::section_unknown, "section_unknown",
            "The consent string has a section that is not read here."},
    Wording{SignalFault::section_count, "section_count",
            "The header of the consent string names more or fewer sections than follow it."},
    Wording{SignalFault::disclosed_vendors_missing, "disclosed_vendors_missing",
            "The TC string does not say which vendors were disclosed, which its date requires."},
    Wording{SignalFault::not_service_specific, "not_service_specific",
            "The TC string claims the global scope, which no longer exists."},
    Wording{SignalFault::cmp_unknown, "cmp_unknown",
            "The TC string names no registered consent management platform."},
    Wording{SignalFault::from_the_future, "from_the_future",
            "The consent string was made at a time that is still to come."},
    Wording{SignalFault::expired, "expired", "The consent string is too old to act on."},
};

const Wording& wording(SignalFault fault) {
    const auto at = static_cast<std::size_t>(fault);
    CDP_ASSERT(at < kWordings.size() && kWordings[at].fault == fault);
    return kWordings[at];
}

}  // namespace

std::string_view fault_name(SignalFault fault) {
    return wording(fault).name;
}

cdp::Error signal_error(SignalFault fault) {
    CDP_ASSERT(fault != SignalFault::none);
    const auto& worded = wording(fault);
    return {.code = cdp::ErrorCode::invalid_argument,
            .reason = "signal_" + std::string(worded.name),
            .message = std::string(worded.message)};
}

}  // namespace consent
