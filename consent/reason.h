#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

// The words a decision is written in, spelled as on the wire.
namespace consent {

enum class Reason : std::uint8_t {
    never_asked,
    denied,
    withdrawn,
    objected,
    restricted,
    suppressed,  // never to be contacted again, whatever is said later
    expired,
    pending_doi,            // waits for its confirmation, or was confirmed too late
    guardian_missing,       // a minor's grant, without the guardian's
    reconfirm_overdue,      // neither confirmed nor asked again in time, and policy refuses that
    invalidated,            // the identifier changed hands after the datum was captured
    quarantined,            // refused by somebody whom an operator split off; see Member
    captured_under_denial,  // collected while a denial was in force; no later grant releases it
    quiet_hours,            // allowed, but not at this hour: Decision::defer_until
    purpose_unknown,
    channel_unknown,
    purpose_not_registered,  // the channel is not registered for the purpose
    message_class_differs,   // asked for as something else than what the purpose sends
    identifier_unknown,      // the datum names an identifier that is not among the person's
    unmapped,                // the field has no label
    label_not_allowed,       // the channel may not receive a label of the field
    not_collected_for,
    not_hashable,  // to be released in another form, of which it has none
    unparsable,    // a contact, but not one that can be told: consent for it cannot be asked

    granted,
    not_objected,
    contract,
    legal_obligation,
};

std::string_view to_string(Reason value);
std::optional<Reason> parse_reason(std::string_view name);

enum class Outcome : std::uint8_t { deny, allow, defer_until };

std::string_view to_string(Outcome value);

// What whoever uses an allowed datum owes.
enum class Obligation : std::uint8_t {
    reconfirm_due,        // ask or remind the person: the grant has got old
    label_advertisement,  // say that the message is an advertisement
    no_proof,             // find the evidence: the grant was imported without any
};

inline constexpr std::initializer_list<Obligation> kObligations = {
    Obligation::reconfirm_due, Obligation::label_advertisement, Obligation::no_proof};

std::string_view to_string(Obligation value);

class Obligations {
public:
    constexpr Obligations() = default;
    constexpr Obligations(std::initializer_list<Obligation> all) {
        for (const auto one : all) add(one);
    }
    constexpr void add(Obligation one) { bits_ |= bit(one); }
    constexpr void add(Obligations other) { bits_ |= other.bits_; }
    constexpr bool has(Obligation one) const { return (bits_ & bit(one)) != 0; }
    constexpr bool empty() const { return bits_ == 0; }

    friend bool operator==(const Obligations&, const Obligations&) = default;

private:
    static constexpr std::uint8_t bit(Obligation one) {
        return static_cast<std::uint8_t>(1U << static_cast<unsigned>(one));
    }

    std::uint8_t bits_ = 0;
};

}  // namespace consent
