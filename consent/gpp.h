#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "cdp/base/result.h"
#include "consent/gpp_us.h"
#include "consent/tcf.h"
#include "consent/usp.h"

// Strings of IAB's Global Privacy Platform. Which of the references' answers are followed:
// docs/decisions/0017.
namespace consent {

// Twenty-seven sections are registered, and no string has them all.
inline constexpr std::size_t kGppSectionsMax = 32;
inline constexpr std::size_t kUsSectionsMax = 21;

namespace gpp {
inline constexpr std::uint16_t kTcfEu = 2;
inline constexpr std::uint16_t kTcfCanada = 5;
inline constexpr std::uint16_t kUsp = 6;
}  // namespace gpp

struct GppSection {
    std::uint16_t id = 0;
    SignalFault fault = SignalFault::none;  // section_unknown: of an id that is not read here
    std::string_view text;
};

// A string whose header is sound. Each section was decoded whole or has a fault, and a section with
// a fault has nothing below. Looks into the string it was decoded from, which must outlive it.
struct Gpp {
    std::array<GppSection, kGppSectionsMax> section_list{};
    std::uint8_t section_count = 0;
    std::array<UsSection, kUsSectionsMax> us_list{};
    std::uint8_t us_count = 0;
    std::optional<Tcf> tcf_eu;  // not yet checked: see tcf_rules.h
    std::optional<Tcf> tcf_canada;
    std::optional<Usp> usp;

    // In the header's order, ascending.
    std::span<const GppSection> sections() const { return {section_list.data(), section_count}; }
    std::span<const UsSection> us() const { return {us_list.data(), us_count}; }
};

// Allocates nothing unless it fails.
cdp::Result<Gpp> decode_gpp(std::string_view text);
// The same without an Error; `out` means something only if the fault is none.
SignalFault read_gpp(std::string_view text, Gpp& out);

}  // namespace consent
