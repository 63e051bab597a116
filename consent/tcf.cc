#include "consent/tcf.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace consent {

namespace {

void set(SignalFault& fault, SignalFault found) {
    if (fault == SignalFault::none) fault = found;
}

NumberSet read_numbers(BitReader& in, std::uint8_t size) {
    NumberSet set{.size = size};
    if (size > 36) {
        set.bits = in.read(36) << (size - 36);
        set.bits |= in.read(static_cast<unsigned>(size - 36));
    } else if (size > 0) {
        set.bits = in.read(size);
    }
    return set;
}

std::array<char, 2> read_letters(BitReader& in, SignalFault& fault) {
    std::array<char, 2> letters{};
    for (auto& letter : letters) {
        const auto n = in.read(6);
        if (n > 25) set(fault, SignalFault::malformed);
        letter = static_cast<char>('A' + n);
    }
    return letters;
}

cdp::Timestamp read_time(BitReader& in) {
    return cdp::timestamp_of(static_cast<std::int64_t>(in.read(36)) * 100);
}

template <typename Number>
Number read_number(BitReader& in, unsigned bits) {
    return static_cast<Number>(in.read(bits));
}

struct Range {
    std::uint16_t first;
    std::uint16_t last;
};

Range read_range(BitReader& in) {
    const bool is_range = in.bit();
    const auto first = read_number<std::uint16_t>(in, 16);
    return {first, is_range ? read_number<std::uint16_t>(in, 16) : first};
}

// What both frameworks begin with.
void read_head(BitReader& in, Tcf& out, SignalFault& fault) {
    out.created = read_time(in);
    out.updated = read_time(in);
    out.cmp_id = read_number<std::uint16_t>(in, 12);
    out.cmp_version = read_number<std::uint16_t>(in, 12);
    out.consent_screen = read_number<std::uint8_t>(in, 6);
    out.language = read_letters(in, fault);
    out.vendor_list_version = read_number<std::uint16_t>(in, 12);
    out.policy_version = read_number<std::uint8_t>(in, 6);
}

void read_vendors(BitReader& in, std::string_view text, Tcf& out, SignalFault& fault) {
    out.vendor_consents = VendorSet::read(in, text, fault);
    out.vendor_legitimate_interests = VendorSet::read(in, text, fault);
    out.restrictions = Restrictions::read(in, text, fault);
}

void read_core(BitReader& in, std::string_view text, Tcf& out, SignalFault& fault) {
    read_head(in, out, fault);
    out.service_specific = in.bit();
    out.non_standard_texts = in.bit();
    out.special_features = read_numbers(in, 12);
    out.purpose_consents = read_numbers(in, 24);
    out.purpose_legitimate_interests = read_numbers(in, 24);
    out.purpose_one_treatment = in.bit();
    out.publisher_country = read_letters(in, fault);
    read_vendors(in, text, out, fault);
}

void read_core_of_canada(BitReader& in, std::string_view text, Tcf& out, SignalFault& fault) {
    read_head(in, out, fault);
    out.non_standard_texts = in.bit();
    out.special_features = read_numbers(in, 12);
    out.purpose_consents = read_numbers(in, 24);
    out.purpose_legitimate_interests = read_numbers(in, 24);
    read_vendors(in, text, out, fault);
}

PublisherTc read_publisher(BitReader& in) {
    PublisherTc publisher;
    publisher.consents = read_numbers(in, 24);
    publisher.legitimate_interests = read_numbers(in, 24);
    const auto custom = read_number<std::uint8_t>(in, 6);
    publisher.custom_consents = read_numbers(in, custom);
    publisher.custom_legitimate_interests = read_numbers(in, custom);
    return publisher;
}

template <typename Part>
void keep(std::optional<Part>& where, Part&& part, SignalFault& fault) {
    if (where) set(fault, SignalFault::segment_repeated);
    where = part;
}

enum class Framework { europe, canada };

void read_segment(std::string_view text, Framework framework, Tcf& out, SignalFault& fault) {
    BitReader in(text);
    const auto type = in.read(3);
    if (type == 1) {
        keep(out.disclosed_vendors, VendorSet::read(in, text, fault), fault);
    } else if (type == 2 && framework == Framework::europe) {
        keep(out.allowed_vendors, VendorSet::read(in, text, fault), fault);
    } else if (type == 3) {
        keep(out.publisher, read_publisher(in), fault);
    } else if (!in.failed()) {
        set(fault, SignalFault::segment_unknown);
    }
    if (in.failed()) set(fault, SignalFault::truncated);
    if (!in.rest_is_zero()) set(fault, SignalFault::trailing_bits);
}

// Into a Tcf that nothing was read into before.
SignalFault read_string(std::string_view text, Framework framework, Tcf& out) {
    if (text.empty()) return SignalFault::empty;
    if (text.size() > kSignalBytesMax) return SignalFault::too_long;
    if (text.ends_with('.')) return SignalFault::truncated;

    const auto core = cut_segment(text);
    if (!is_base64(core)) return SignalFault::bad_character;
    BitReader in(core);
    out.version = read_number<std::uint8_t>(in, 6);
    if (in.failed()) return SignalFault::truncated;
    if (out.version != (framework == Framework::europe ? 2 : 1))
        return SignalFault::version_unknown;
    auto fault = SignalFault::none;
    if (framework == Framework::europe)
        read_core(in, core, out, fault);
    else
        read_core_of_canada(in, core, out, fault);
    // A short read makes zeros, which may look like another fault.
    if (in.failed()) return SignalFault::truncated;
    if (!in.rest_is_zero()) set(fault, SignalFault::trailing_bits);

    while (fault == SignalFault::none && !text.empty()) {
        const auto segment = cut_segment(text);
        if (!is_base64(segment)) return SignalFault::bad_character;
        read_segment(segment, framework, out, fault);
    }
    return fault;
}

cdp::Result<Tcf> decode(std::string_view text, Framework framework) {
    cdp::Result<Tcf> result{Tcf{}};
    const auto fault = read_string(text, framework, *result);
    if (fault != SignalFault::none) return signal_error(fault);
    return result;
}

}  // namespace

bool VendorSet::has(std::uint16_t id) const {
    if (id == 0 || id > max_id_) return false;
    BitReader in(text_, at_);
    if (!is_ranges_) {
        in.skip(id - 1U);
        return in.bit();
    }
    for (std::uint16_t i = 0; i < ranges_; ++i) {
        const auto range = read_range(in);
        if (range.first <= id && id <= range.last) return true;
    }
    return false;
}

std::uint32_t VendorSet::count() const {
    BitReader in(text_, at_);
    std::uint32_t count = 0;
    if (!is_ranges_) {
        for (std::uint16_t i = 0; i < max_id_; ++i) count += in.bit() ? 1 : 0;
        return count;
    }
    std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;
    for (std::uint16_t i = 0; i < ranges_; ++i) {
        const auto range = read_range(in);
        ranges.emplace_back(range.first, range.last);
    }
    // They may overlap.
    std::ranges::sort(ranges);
    std::uint32_t counted = 0;  // up to and with this id
    for (const auto& [first, last] : ranges) {
        if (last <= counted) continue;
        count += last - std::max(counted, first - 1);
        counted = last;
    }
    return count;
}

VendorSet VendorSet::read(BitReader& in, std::string_view text, SignalFault& fault) {
    const auto max_id = read_number<std::uint16_t>(in, 16);
    if (in.bit()) return read_ranges(in, text, fault, max_id);
    VendorSet set;
    set.text_ = text;
    set.max_id_ = max_id;
    set.at_ = static_cast<std::uint32_t>(in.position());
    in.skip(max_id);
    return set;
}

VendorSet VendorSet::read_ranges(BitReader& in, std::string_view text, SignalFault& fault,
                                 std::uint16_t max_id) {
    VendorSet set;
    set.text_ = text;
    set.max_id_ = max_id;
    set.is_ranges_ = true;
    set.ranges_ = read_number<std::uint16_t>(in, 12);
    set.at_ = static_cast<std::uint32_t>(in.position());
    bool sound = true;
    for (std::uint16_t i = 0; i < set.ranges_ && !in.failed(); ++i) {
        const auto range = read_range(in);
        sound = sound && range.first >= 1 && range.first <= range.last && range.last <= max_id;
    }
    if (!sound) consent::set(fault, SignalFault::malformed);
    return set;
}

Restriction Restrictions::read_one(BitReader& in) const {
    Restriction restriction;
    restriction.purpose = read_number<std::uint8_t>(in, 6);
    restriction.type = static_cast<RestrictionType>(in.read(2));
    auto fault = SignalFault::none;
    restriction.vendors = VendorSet::read_ranges(in, text_, fault);
    return restriction;
}

Restrictions Restrictions::read(BitReader& in, std::string_view text, SignalFault& fault) {
    Restrictions restrictions;
    restrictions.text_ = text;
    restrictions.size_ = read_number<std::uint16_t>(in, 12);
    restrictions.at_ = static_cast<std::uint32_t>(in.position());
    for (std::uint16_t i = 0; i < restrictions.size_ && !in.failed(); ++i) {
        const auto purpose = in.read(6);
        const auto type = in.read(2);
        if (purpose < 1 || purpose > 24 || type > 2) set(fault, SignalFault::malformed);
        (void)VendorSet::read_ranges(in, text, fault);
    }
    return restrictions;
}

bool Restrictions::has(RestrictionType type, std::uint8_t purpose, std::uint16_t vendor) const {
    bool found = false;
    each([&](const Restriction& restriction) {
        found = found || (restriction.type == type && restriction.purpose == purpose &&
                          restriction.vendors.has(vendor));
    });
    return found;
}

SignalFault read_tcf(std::string_view text, Tcf& out) {
    out = {};
    return read_string(text, Framework::europe, out);
}

SignalFault read_tcf_canada(std::string_view text, Tcf& out) {
    out = {};
    return read_string(text, Framework::canada, out);
}

cdp::Result<Tcf> decode_tcf(std::string_view text) {
    return decode(text, Framework::europe);
}

cdp::Result<Tcf> decode_tcf_canada(std::string_view text) {
    return decode(text, Framework::canada);
}

}  // namespace consent
