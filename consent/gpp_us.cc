#include "consent/gpp_us.h"

namespace consent {

namespace {

constexpr std::uint16_t kUsNat = 7;
constexpr std::uint8_t kSensitiveOfSegment = 8;

// How many characters hold so many bits: padded to a character, or to a byte and then to a
// character. Other lengths are other layouts.
bool fits(std::size_t characters, std::size_t bits) {
    return characters == (bits + 5) / 6 || characters == ((bits + 7) / 8 * 8 + 5) / 6;
}

// The layout that the core's length tells, as the encoders choose it; null if none.
const UsLayout* layout_of(std::uint16_t id, std::size_t characters) {
    for (const auto& layout : us_layouts())
        if (layout.section == id && fits(characters, layout.bits())) return &layout;
    return nullptr;
}

bool is_version_of(std::uint16_t id, std::uint64_t version) {
    for (const auto& layout : us_layouts())
        if (layout.section == id && layout.version == version) return true;
    return false;
}

// For a core whose length no layout has.
SignalFault fault_of_length(std::uint16_t id, std::string_view core) {
    BitReader in(core);
    const auto version = in.read(6);
    if (in.failed()) return SignalFault::truncated;
    if (!is_version_of(id, version)) return SignalFault::version_unknown;
    for (const auto& layout : us_layouts())
        if (layout.section == id && layout.version == version && core.size() * 6 > layout.bits())
            return SignalFault::trailing_bits;
    return SignalFault::truncated;
}

// Answers, each two bits. False if one is 3, which means nothing.
template <std::size_t n>
bool read_answers(BitReader& in, std::uint8_t count, std::array<std::uint8_t, n>& to) {
    bool sound = true;
    for (std::uint8_t i = 0; i < count; ++i) {
        to[i] = static_cast<std::uint8_t>(in.read(2));
        sound = sound && to[i] != 3;
    }
    return sound;
}

SignalFault read_items(BitReader& in, UsSection& out) {
    bool sound = true;
    for (const auto& item : out.layout->items) {
        if (item.field == UsField::sensitive_data_processing && item.count > 0) {
            out.sensitive_count = item.count;
            sound = read_answers(in, item.count, out.sensitive) && sound;
        } else if (item.field == UsField::known_child_consents) {
            out.children_count = item.count;
            sound = read_answers(in, item.count, out.children) && sound;
        } else if (item.count > 0) {
            const auto answer = static_cast<std::uint8_t>(in.read(2));
            out.answers[static_cast<std::size_t>(item.field)] = answer;
            sound = sound && answer != 3;
        }
    }
    // Whoever writes the string says whether the agreement covers it: there is no third answer.
    if (out[UsField::mspa_covered_transaction] == 0) sound = false;
    if (in.failed()) return SignalFault::truncated;
    if (!sound) return SignalFault::malformed;
    return in.rest_is_zero() ? SignalFault::none : SignalFault::trailing_bits;
}

SignalFault read_core(std::uint16_t id, std::string_view core, UsSection& out) {
    out.layout = layout_of(id, core.size());
    if (!out.layout) return fault_of_length(id, core);
    BitReader in(core);
    out.version = static_cast<std::uint8_t>(in.read(6));
    if (out.version != out.layout->version) {
        // Java's encoder: the second layout under the first one's number.
        if (!is_version_of(id, out.version)) return SignalFault::version_unknown;
        if (id != kUsNat || out.version != 1) return SignalFault::malformed;
    }
    return read_items(in, out);
}

SignalFault read_gpc(std::string_view text, UsSection& out) {
    BitReader in(text);
    const auto type = in.read(2);
    const bool gpc = in.bit();
    if (in.failed()) return SignalFault::truncated;
    if (type != 1) return SignalFault::segment_unknown;
    if (!in.rest_is_zero()) return SignalFault::trailing_bits;
    if (out.gpc) return SignalFault::segment_repeated;
    out.gpc = gpc;
    return SignalFault::none;
}

SignalFault read_sensitive_data(std::string_view text, UsSection& out) {
    if (!fits(text.size(), 2 * kSensitiveOfSegment))
        return text.size() < 3 ? SignalFault::truncated : SignalFault::trailing_bits;
    if (out.sensitive_count > 0) return SignalFault::segment_repeated;
    BitReader in(text);
    out.sensitive_count = kSensitiveOfSegment;
    if (!read_answers(in, kSensitiveOfSegment, out.sensitive)) return SignalFault::malformed;
    return in.rest_is_zero() ? SignalFault::none : SignalFault::trailing_bits;
}

SignalFault read_segment(std::string_view text, UsSection& out) {
    switch (out.layout->segment) {
        case UsSegment::none: return SignalFault::segment_unknown;
        case UsSegment::gpc: return read_gpc(text, out);
        case UsSegment::sensitive_data: return read_sensitive_data(text, out);
    }
    return SignalFault::segment_unknown;
}

}  // namespace

bool is_us_section(std::uint16_t id) {
    return id >= us_layouts().front().section && id <= us_layouts().back().section;
}

SignalFault read_us_section(std::uint16_t id, std::string_view text, UsSection& out) {
    if (!is_us_section(id)) return SignalFault::section_unknown;
    if (text.empty()) return SignalFault::empty;
    if (text.ends_with('.')) return SignalFault::truncated;
    out = {};
    const auto core = cut_segment(text);
    if (!is_base64(core)) return SignalFault::bad_character;
    auto fault = read_core(id, core, out);
    while (fault == SignalFault::none && !text.empty()) {
        const auto segment = cut_segment(text);
        if (!is_base64(segment)) return SignalFault::bad_character;
        fault = read_segment(segment, out);
    }
    return fault;
}

}  // namespace consent
