#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "consent/bits.h"

// The GPP sections of the United States: usnat and the states. All are rows of two-bit answers, so
// they are one table and one function. What the rows follow: docs/decisions/0017.
namespace consent {

enum class UsField : std::uint8_t {
    sharing_notice,
    processing_notice,
    sale_opt_out_notice,
    sharing_opt_out_notice,
    targeted_advertising_opt_out_notice,
    sensitive_data_opt_out_notice,
    sensitive_data_limit_use_notice,
    sale_opt_out,
    sharing_opt_out,
    targeted_advertising_opt_out,
    sensitive_data_processing,  // one answer per category
    known_child_consents,       // one per age and use
    personal_data_consents,
    additional_data_processing_consent,
    mspa_covered_transaction,
    mspa_opt_out_option_mode,
    mspa_service_provider_mode,
    mspa_mode,
};

inline constexpr std::size_t kUsFields = 18;
inline constexpr std::size_t kUsSensitiveMax = 16;
inline constexpr std::size_t kUsChildrenMax = 5;

// A field, and how many answers it has.
struct UsItem {
    // NOLINTNEXTLINE(google-explicit-constructor): the table reads better without braces.
    constexpr UsItem(UsField f, std::uint8_t n = 1) : field(f), count(n) {}
    constexpr UsItem() : UsItem(UsField::sharing_notice, 0) {}

    UsField field;
    std::uint8_t count;  // 0: no field
};

enum class UsSegment : std::uint8_t { none, gpc, sensitive_data };
// How people say no to the use of their sensitive data.
enum class UsSensitive : std::uint8_t { by_consent, by_opt_out };

// How a section of a version is written: the version in six bits, then its items.
struct UsLayout {
    std::uint8_t section;
    std::string_view name;
    std::uint8_t version;
    std::array<UsItem, 15> items;
    UsSegment segment = UsSegment::none;  // that may follow the core
    UsSensitive sensitive = UsSensitive::by_consent;
    // For each category of sensitive data the bits of usnat's categories that it covers, number 1
    // lowest; 0 where the two have the same number.
    std::array<std::uint16_t, 11> national = {};

    constexpr std::size_t bits() const {
        std::size_t answers = 0;
        for (const auto& item : items) answers += item.count;
        return 6 + 2 * answers;
    }
};

// Every layout, those of one section side by side.
std::span<const UsLayout> us_layouts();

// Answers: of notices 0 not applicable, 1 given, 2 not given; of opt-outs 0 not applicable, 1 opted
// out, 2 did not; of consents 0 not applicable, 1 refused, 2 given.
struct UsSection {
    const UsLayout* layout = nullptr;
    std::uint8_t version = 0;  // as written; the Java encoder writes 1 over usnat's second layout
    std::optional<bool> gpc;
    std::array<std::uint8_t, kUsFields> answers{};
    std::array<std::uint8_t, kUsSensitiveMax> sensitive{};
    std::array<std::uint8_t, kUsChildrenMax> children{};
    std::uint8_t sensitive_count = 0;
    std::uint8_t children_count = 0;

    // 0 also where the section has no such field.
    std::uint8_t operator[](UsField field) const {
        return answers[static_cast<std::size_t>(field)];
    }
};

// Whether read_us_section knows the section.
bool is_us_section(std::uint16_t id);

// `out` means something only if the fault is none. Allocates nothing.
SignalFault read_us_section(std::uint16_t id, std::string_view text, UsSection& out);

}  // namespace consent
