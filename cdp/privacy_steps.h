#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

// The one table of what may become of a request; docs/decisions/0029. Pure. The numbers are on
// disk, the names on the wire: never change one.
namespace cdp {

enum class PrivacyKind : std::uint8_t {
    access = 1,
    portability,
    erasure,
    rectification,
    restriction,
    objection,
    suppression,
    opt_out,  // of sale and sharing
    opt_in,
    access_categories,  // which kinds of data, from where and for whom; no datum
};
inline constexpr auto kPrivacyKindLast = PrivacyKind::access_categories;

enum class PrivacyProtocol : std::uint8_t { direct = 1, open_dsr, drp, iab };
inline constexpr auto kPrivacyProtocolLast = PrivacyProtocol::iab;

enum class PrivacyState : std::uint8_t {
    received = 1,
    waiting_for_verification,
    verified,
    in_progress,
    fulfilled,
    denied,
    cancelled,
    expired,
};
inline constexpr auto kPrivacyStateLast = PrivacyState::expired;

enum class PrivacyAct : std::uint8_t {
    receive = 1,
    ask,     // for verification
    verify,  // or nothing to verify
    begin,
    fulfil,
    deny,
    cancel,
    expire,
    extend,
    block,  // what was begun cannot be done, and waits for an officer
    retry,
    lift,  // of a restriction
    note,  // something else happened, such as a callback
};
inline constexpr auto kPrivacyActLast = PrivacyAct::note;

enum class PrivacyDenial : std::uint8_t {
    suspected_fraud = 1,
    insufficient_verification,
    no_match,
    claim_not_covered,
    outside_jurisdiction,
    too_many_requests,
    other,
};
inline constexpr auto kPrivacyDenialLast = PrivacyDenial::other;

std::string_view to_string(PrivacyKind value);
std::string_view to_string(PrivacyProtocol value);
std::string_view to_string(PrivacyState value);
std::string_view to_string(PrivacyAct value);
std::string_view to_string(PrivacyDenial value);
std::optional<PrivacyKind> parse_privacy_kind(std::string_view name);
std::optional<PrivacyState> parse_privacy_state(std::string_view name);
std::optional<PrivacyAct> parse_privacy_act(std::string_view name);
std::optional<PrivacyDenial> parse_privacy_denial(std::string_view name);

// Where the act leads from there; nullopt: it is not possible.
std::optional<PrivacyState> after(PrivacyState from, PrivacyAct act);

// Nothing more is going to be done by itself.
bool is_final(PrivacyState state);

// Nobody may be asked to prove who they are (11 CCR § 7026; GDPR Art. 21 asks for no more than it
// takes to find the person).
bool needs_verification(PrivacyKind kind);

// It asks that something ends, which its law gives a term of its own.
bool opts_out(PrivacyKind kind);

}  // namespace cdp
