#include "consent/gpp.h"

#include <algorithm>

namespace consent {

namespace {

constexpr std::uint64_t kHeaderType = 3;
constexpr std::uint64_t kHeaderVersion = 1;
constexpr std::uint32_t kIdMax = 0xffff;

// A number of at least 1 as a sum of Fibonacci numbers, smallest first, closed by a second 1 in a
// row. 0 if it is cut short or over `kIdMax`.
std::uint32_t read_fibonacci(BitReader& in) {
    std::uint32_t sum = 0;
    std::uint32_t term = 1;
    std::uint32_t next = 2;
    bool last = false;
    while (sum <= kIdMax && term <= kIdMax && !in.failed()) {
        const bool bit = in.bit();
        if (bit && last) return sum;
        if (bit) sum += term;
        last = bit;
        const auto after = term + next;
        term = next;
        next = after;
    }
    // The largest term may still be waiting for its closing bit.
    return last && sum <= kIdMax && in.bit() ? sum : 0;
}

// Ids, each by its distance from the last one.
SignalFault read_ids(BitReader& in, Gpp& out) {
    const auto items = in.read(12);
    std::uint32_t id = 0;
    for (std::uint64_t i = 0; i < items; ++i) {
        const bool group = in.bit();
        const auto distance = read_fibonacci(in);
        const auto length = group ? read_fibonacci(in) : 0;
        if (in.failed()) return SignalFault::truncated;
        if (distance == 0 || (group && length == 0)) return SignalFault::malformed;
        if (id + distance + length > kIdMax) return SignalFault::malformed;
        if (out.section_count + length + 1 > kGppSectionsMax) return SignalFault::section_count;
        id += distance;
        out.section_list[out.section_count++].id = static_cast<std::uint16_t>(id);
        for (std::uint32_t more = length; more > 0; --more)
            out.section_list[out.section_count++].id = static_cast<std::uint16_t>(++id);
    }
    return in.failed() ? SignalFault::truncated : SignalFault::none;
}

SignalFault read_header(std::string_view text, Gpp& out) {
    text = without_padding(text);
    if (!is_base64(text)) return SignalFault::bad_character;
    BitReader in(text);
    const auto type = in.read(6);
    const auto version = in.read(6);
    if (in.failed()) return SignalFault::truncated;
    if (type != kHeaderType) return SignalFault::malformed;
    if (version != kHeaderVersion) return SignalFault::version_unknown;
    const auto fault = read_ids(in, out);
    if (fault != SignalFault::none) return fault;
    return in.rest_is_zero() ? SignalFault::none : SignalFault::trailing_bits;
}

template <typename Part>
SignalFault read_part(SignalFault (*read)(std::string_view, Part&), std::string_view text,
                      std::optional<Part>& out) {
    const auto fault = read(text, out.emplace());
    if (fault != SignalFault::none) out.reset();
    return fault;
}

SignalFault read_section(const GppSection& section, Gpp& out) {
    if (section.id == gpp::kTcfEu) return read_part(read_tcf, section.text, out.tcf_eu);
    if (section.id == gpp::kTcfCanada)
        return read_part(read_tcf_canada, section.text, out.tcf_canada);
    if (section.id == gpp::kUsp) return read_part(read_usp, section.text, out.usp);
    if (!is_us_section(section.id)) return SignalFault::section_unknown;
    const auto fault = read_us_section(section.id, section.text, out.us_list[out.us_count]);
    if (fault == SignalFault::none) ++out.us_count;
    return fault;
}

// Into a Gpp that nothing was read into before.
SignalFault read_string(std::string_view text, Gpp& out) {
    if (text.empty()) return SignalFault::empty;
    if (text.size() > kSignalBytesMax) return SignalFault::too_long;
    const auto header = text.substr(0, text.find('~'));
    const auto fault = read_header(header, out);
    if (fault != SignalFault::none) return fault;
    if (std::ranges::count(text, '~') != out.section_count) return SignalFault::section_count;

    text.remove_prefix(header.size());
    for (auto& section : std::span(out.section_list).first(out.section_count)) {
        text.remove_prefix(1);
        section.text = text.substr(0, text.find('~'));
        text.remove_prefix(section.text.size());
        section.fault = read_section(section, out);
    }
    return SignalFault::none;
}

}  // namespace

SignalFault read_gpp(std::string_view text, Gpp& out) {
    out = {};
    return read_string(text, out);
}

cdp::Result<Gpp> decode_gpp(std::string_view text) {
    cdp::Result<Gpp> result{Gpp{}};
    const auto fault = read_string(text, *result);
    if (fault != SignalFault::none) return signal_error(fault);
    return result;
}

}  // namespace consent
