#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "consent/bits.h"

// Strings of IAB Europe's Transparency and Consent Framework, versions 2.0 to 2.3, and of IAB
// Canada's. Which of the references' answers are followed: docs/decisions/0017.
namespace consent {

// A TC string of every vendor there may be, written the longest way, is shorter.
inline constexpr std::size_t kSignalBytesMax = 64 * 1024;

// Which of the numbers 1 to `size` are in it; bits as on the wire, number 1 highest.
struct NumberSet {
    std::uint64_t bits = 0;
    std::uint8_t size = 0;

    constexpr bool has(unsigned n) const {
        return n >= 1 && n <= size && ((bits >> (size - n)) & 1) != 0;
    }
    friend bool operator==(const NumberSet&, const NumberSet&) = default;
};

// Vendor ids, read from the string whenever one asks. Holds a view of the string.
class VendorSet {
public:
    VendorSet() = default;

    // One bit of the string, or a walk over its ranges.
    bool has(std::uint16_t id) const;
    std::uint16_t max_id() const { return max_id_; }
    // How many there are. Reads all of it, and allocates.
    std::uint32_t count() const;

    // After the flag of the encoding; bits or ranges up to `max_id`, all of them there and sound.
    static VendorSet read(BitReader& in, std::string_view text, SignalFault& fault);
    // Ranges alone, as in a publisher's restriction.
    static VendorSet read_ranges(BitReader& in, std::string_view text, SignalFault& fault,
                                 std::uint16_t max_id = 0xffff);

private:
    std::string_view text_;
    std::uint32_t at_ = 0;  // of the first bit, or range
    std::uint16_t max_id_ = 0;
    std::uint16_t ranges_ = 0;
    bool is_ranges_ = false;
};

enum class RestrictionType : std::uint8_t {
    forbidden = 0,
    require_consent = 1,
    require_legitimate_interest = 2,
};

struct Restriction {
    std::uint8_t purpose = 0;
    RestrictionType type = RestrictionType::forbidden;
    VendorSet vendors;
};

// What the publisher restricts, in the order of the string; read whenever one asks.
class Restrictions {
public:
    std::uint16_t size() const { return size_; }
    template <typename Visit>
    void each(Visit visit) const {
        BitReader in(text_, at_);
        for (std::uint16_t i = 0; i < size_; ++i) visit(read_one(in));
    }
    // The vendor and purpose are under a restriction of that type.
    bool has(RestrictionType type, std::uint8_t purpose, std::uint16_t vendor) const;

    static Restrictions read(BitReader& in, std::string_view text, SignalFault& fault);

private:
    Restriction read_one(BitReader& in) const;

    std::string_view text_;
    std::uint32_t at_ = 0;
    std::uint16_t size_ = 0;
};

// The publisher's own purposes.
struct PublisherTc {
    NumberSet consents;
    NumberSet legitimate_interests;
    NumberSet custom_consents;
    NumberSet custom_legitimate_interests;
};

// A decoded string: wholly sound, every bit of it read or checked, or not made at all. It looks
// into the string it was decoded from, which must outlive it.
//
// Canada's has express consent where Europe's has consent and implied consent where Europe's has
// legitimate interest, and neither scope, purpose one nor country.
struct Tcf {
    std::uint8_t version = 0;
    cdp::Timestamp created{};
    cdp::Timestamp updated{};
    std::uint16_t cmp_id = 0;
    std::uint16_t cmp_version = 0;
    std::uint8_t consent_screen = 0;
    std::array<char, 2> language{};
    std::uint16_t vendor_list_version = 0;
    std::uint8_t policy_version = 0;
    bool service_specific = false;
    bool non_standard_texts = false;
    NumberSet special_features;
    NumberSet purpose_consents;
    NumberSet purpose_legitimate_interests;
    bool purpose_one_treatment = false;
    std::array<char, 2> publisher_country{};
    VendorSet vendor_consents;
    VendorSet vendor_legitimate_interests;
    Restrictions restrictions;
    std::optional<VendorSet> disclosed_vendors;
    std::optional<VendorSet> allowed_vendors;  // legacy: out of date since 2.3, no rule reads it
    std::optional<PublisherTc> publisher;

    bool has_vendor_consent(std::uint16_t id) const { return vendor_consents.has(id); }
};

// Allocates nothing unless it fails.
cdp::Result<Tcf> decode_tcf(std::string_view text);
// A `tcfcav1` section.
cdp::Result<Tcf> decode_tcf_canada(std::string_view text);

// The same without an Error; `out` means something only if the fault is none.
SignalFault read_tcf(std::string_view text, Tcf& out);
SignalFault read_tcf_canada(std::string_view text, Tcf& out);

}  // namespace consent
