#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "cdp/base/time.h"
#include "consent/gpp.h"
#include "consent/tcf.h"
#include "consent/tcf_rules.h"
#include "consent/usp.h"

// What a consent signal means, in keys that a policy's purposes name under `signals`. Pure. Rules:
// docs/decisions/0017.
namespace consent {

// From the least strict to the strictest: where two parts of a signal say different things about
// one key, the later one here holds.
enum class SignalState : std::uint8_t {
    granted = 1,  // asked, and said yes
    noticed = 2,  // told of it with a way to say no, and has not
    objected = 3,
    denied = 4,  // said no, was not asked properly, or cannot be understood
};

std::string_view state_name(SignalState state);

// Every key there is:
// - tcf/1 to tcf/11, by consent; tcf/li/2 and tcf/li/7 to tcf/li/11, by legitimate interest;
//   tcf/special/1 and 2; tcfca/1 to tcfca/11, Canada's.
// - gpp/sale (a US Privacy string's too), gpp/sharing, gpp/targeted_ads, gpp/sensitive/1 to 16 in
//   usnat's numbering whichever section says it, gpp/known_child, gpp/personal_data.
// - gpp/unknown_section: denied when the string has a section that is not read here.
// - gpc, att.
std::span<const std::string_view> signal_keys();

struct SignalEffect {
    std::string_view key;
    SignalState state;

    friend bool operator==(const SignalEffect&, const SignalEffect&) = default;
};

inline constexpr std::size_t kSignalKeys = 54;

// At most one effect a key, in the order of signal_keys. A key without one: the signal says nothing
// of it.
class SignalEffects {
public:
    // Of the key at that place of signal_keys. The stricter of two states stays.
    void add(std::size_t at, SignalState state);
    std::optional<SignalState> of(std::string_view key) const;
    template <typename Visit>
    void each(Visit visit) const {
        for (std::size_t i = 0; i < states_.size(); ++i)
            if (states_[i] != 0)
                visit(SignalEffect{signal_keys()[i], static_cast<SignalState>(states_[i])});
    }
    bool empty() const { return states_ == decltype(states_){}; }

    friend bool operator==(const SignalEffects&, const SignalEffects&) = default;

private:
    std::array<std::uint8_t, kSignalKeys> states_{};
};

// A vendor of the global vendor list: purpose n is bit n - 1. Without what the list says of it, it
// is taken to have declared everything.
struct TcfVendor {
    std::uint16_t id = 0;
    std::uint32_t consent = 0xffff'ffff;
    std::uint32_t legitimate_interest = 0xffff'ffff;
    std::uint32_t flexible = 0;  // purposes for which the publisher may choose the other basis
};

struct SignalContext {
    cdp::Timestamp now{};
    TcfRules rules;
    // The channel's. Without one the effects are what the person told the publisher.
    std::optional<TcfVendor> vendor;
};

// Runs check_tcf; a string that may not be acted on denies all of its keys.
SignalEffects effects_of(const Tcf& tcf, const SignalContext& context);
SignalEffects effects_of_canada(const Tcf& tcf, const SignalContext& context);
// A section with a fault denies all that a section of its kind could have said.
SignalEffects effects_of(const Gpp& gpp, const SignalContext& context);
SignalEffects effects_of(const Usp& usp);

// The value of one `Sec-GPC` field. Only "1" means anything.
SignalEffects effects_of_gpc(std::string_view value);
// Apple's authorization status: notDetermined, restricted, denied or authorized. The last permits
// the use of an identifier, and is consent to no purpose: noticed.
SignalEffects effects_of_att(std::string_view status);

// Of a string that could not be read at all: everything it could have said is denied.
enum class SignalKind : std::uint8_t { tcf, tcf_canada, gpp, usp };
SignalEffects effects_of_unreadable(SignalKind kind);

}  // namespace consent
