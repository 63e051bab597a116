#pragma once

#include <cstdint>
#include <string_view>

#include "cdp/base/result.h"

namespace consent {

// Why a consent signal (a TC string, a GPP string) cannot be acted on. What cannot be read grants
// nothing. The names with `signal_` before them are the reasons of the errors.
enum class SignalFault : std::uint8_t {
    none,
    empty,
    too_long,
    bad_character,              // not base64 where base64 is due
    truncated,                  // ends before its fields do
    malformed,                  // a field has a value that the format does not have
    trailing_bits,              // more than padding after the last field
    version_unknown,            // of the string, or of a section of it
    segment_unknown,            // a segment or subsection of a type that the format does not have
    segment_repeated,           // the same one twice
    section_unknown,            // a GPP section that we have no layout for
    section_count,              // a GPP header that names more or fewer sections than follow
    disclosed_vendors_missing,  // TCF 2.3
    not_service_specific,       // TCF: the global scope is gone
    cmp_unknown,                // TCF: a consent platform number that is never given out
    from_the_future,
    expired,
};

// snake_case, as on the wire, without `signal_`. "none" for none.
std::string_view fault_name(SignalFault fault);

// Never of `none`.
cdp::Error signal_error(SignalFault fault);

}  // namespace consent
