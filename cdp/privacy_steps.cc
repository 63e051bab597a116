#include "cdp/privacy_steps.h"

#include <array>

#include "consent/names.h"

namespace cdp {
namespace {

using consent::Names;
using std::pair;
using namespace std::string_view_literals;

constexpr Names kKinds{pair{PrivacyKind::access, "access"sv},
                       pair{PrivacyKind::portability, "portability"sv},
                       pair{PrivacyKind::erasure, "erasure"sv},
                       pair{PrivacyKind::rectification, "rectification"sv},
                       pair{PrivacyKind::restriction, "restriction"sv},
                       pair{PrivacyKind::objection, "objection"sv},
                       pair{PrivacyKind::suppression, "suppression"sv},
                       pair{PrivacyKind::opt_out, "opt_out"sv},
                       pair{PrivacyKind::opt_in, "opt_in"sv},
                       pair{PrivacyKind::access_categories, "access_categories"sv}};
constexpr Names kProtocols{
    pair{PrivacyProtocol::direct, "direct"sv}, pair{PrivacyProtocol::open_dsr, "open_dsr"sv},
    pair{PrivacyProtocol::drp, "drp"sv}, pair{PrivacyProtocol::iab, "iab"sv}};
constexpr Names kStates{pair{PrivacyState::received, "received"sv},
                        pair{PrivacyState::waiting_for_verification, "waiting_for_verification"sv},
                        pair{PrivacyState::verified, "verified"sv},
                        pair{PrivacyState::in_progress, "in_progress"sv},
                        pair{PrivacyState::fulfilled, "fulfilled"sv},
                        pair{PrivacyState::denied, "denied"sv},
                        pair{PrivacyState::cancelled, "cancelled"sv},
                        pair{PrivacyState::expired, "expired"sv}};
constexpr Names kActs{pair{PrivacyAct::receive, "receive"sv}, pair{PrivacyAct::ask, "ask"sv},
                      pair{PrivacyAct::verify, "verify"sv},   pair{PrivacyAct::begin, "begin"sv},
                      pair{PrivacyAct::fulfil, "fulfil"sv},   pair{PrivacyAct::deny, "deny"sv},
                      pair{PrivacyAct::cancel, "cancel"sv},   pair{PrivacyAct::expire, "expire"sv},
                      pair{PrivacyAct::extend, "extend"sv},   pair{PrivacyAct::block, "block"sv},
                      pair{PrivacyAct::retry, "retry"sv},     pair{PrivacyAct::lift, "lift"sv},
                      pair{PrivacyAct::note, "note"sv}};
constexpr Names kDenials{
    pair{PrivacyDenial::suspected_fraud, "suspected_fraud"sv},
    pair{PrivacyDenial::insufficient_verification, "insufficient_verification"sv},
    pair{PrivacyDenial::no_match, "no_match"sv},
    pair{PrivacyDenial::claim_not_covered, "claim_not_covered"sv},
    pair{PrivacyDenial::outside_jurisdiction, "outside_jurisdiction"sv},
    pair{PrivacyDenial::too_many_requests, "too_many_requests"sv},
    pair{PrivacyDenial::other, "other"sv}};

struct Transition {
    PrivacyState from;
    PrivacyAct act;
    PrivacyState to;
};

using enum PrivacyState;
using enum PrivacyAct;

// Notes are possible everywhere. What is received is asked about or verified in the same commit.
// What ends without being executed (`fulfil` and `deny` before `begin`) is what nobody needs any
// more: the person was erased. What is in progress is verified once more when it turns out that
// more is to be proved.
constexpr std::array kTransitions{
    Transition{received, ask, waiting_for_verification},
    Transition{received, verify, verified},
    Transition{waiting_for_verification, verify, verified},
    Transition{waiting_for_verification, deny, denied},
    Transition{waiting_for_verification, cancel, cancelled},
    Transition{waiting_for_verification, expire, expired},
    Transition{waiting_for_verification, extend, waiting_for_verification},
    Transition{waiting_for_verification, fulfil, fulfilled},
    Transition{verified, begin, in_progress},
    Transition{verified, deny, denied},
    Transition{verified, cancel, cancelled},
    Transition{verified, extend, verified},
    Transition{verified, fulfil, fulfilled},
    Transition{in_progress, fulfil, fulfilled},
    Transition{in_progress, deny, denied},
    Transition{in_progress, extend, in_progress},
    Transition{in_progress, block, in_progress},
    Transition{in_progress, retry, in_progress},
    Transition{in_progress, verify, in_progress},
    Transition{fulfilled, lift, fulfilled},
};

}  // namespace

std::string_view to_string(PrivacyKind value) {
    return kKinds.name(value);
}
std::string_view to_string(PrivacyProtocol value) {
    return kProtocols.name(value);
}
std::string_view to_string(PrivacyState value) {
    return kStates.name(value);
}
std::string_view to_string(PrivacyAct value) {
    return kActs.name(value);
}
std::string_view to_string(PrivacyDenial value) {
    return kDenials.name(value);
}
std::optional<PrivacyKind> parse_privacy_kind(std::string_view name) {
    return kKinds.value(name);
}
std::optional<PrivacyState> parse_privacy_state(std::string_view name) {
    return kStates.value(name);
}
std::optional<PrivacyAct> parse_privacy_act(std::string_view name) {
    return kActs.value(name);
}
std::optional<PrivacyDenial> parse_privacy_denial(std::string_view name) {
    return kDenials.value(name);
}

std::optional<PrivacyState> after(PrivacyState from, PrivacyAct act) {
    if (act == note) return from;
    for (const auto& one : kTransitions)
        if (one.from == from && one.act == act) return one.to;
    return std::nullopt;
}

bool is_final(PrivacyState state) {
    return state >= fulfilled;
}

bool needs_verification(PrivacyKind kind) {
    return !opts_out(kind);
}

bool opts_out(PrivacyKind kind) {
    return kind == PrivacyKind::opt_out || kind == PrivacyKind::objection;
}

}  // namespace cdp
