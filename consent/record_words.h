#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// The words a record is written in, spelled as on the wire. The numbers are on disk: never change
// one, never reuse one.
namespace consent {

// What was said, and what it does to earlier and later answers under the same identifier.
enum class State : std::uint8_t {
    granted = 1,      // allows, until the next answer
    denied = 2,       // refuses, until a later grant
    withdrawn = 3,    // the same, of what had been granted
    objected = 4,     // the same, of what needed no grant
    restricted = 5,   // the same, and contracts are refused too (GDPR Art. 18)
    pending_doi = 6,  // asked to confirm: allows nothing, ends nothing
    expired = 7,      // ends a grant; allows and refuses nothing itself, lifts no denial
    invalidated = 8,  // the identifier is somebody else's now: every answer before it is void, and
                      // data captured before it are refused
    reconfirmed = 9,  // the grant still holds: the clock of reconfirmation starts anew
    not_applicable =
        10,        // says nothing of its own; an officer's may take denials back by `overrides`
    noticed = 11,  // told of the grant and silent: the clock starts anew where silence is enough
};

// How far a denial reaches: its identifier, or everybody's data that is held to be one person with
// it. `device` acts like `identifier`; it tells where it was said. Grants reach their identifier
// only; one of scope person can also lift a person-wide denial that was made under the same
// identifier.
enum class Scope : std::uint8_t { identifier = 1, device = 2, person = 3 };

// Who brought the answer.
enum class Origin : std::uint8_t {
    client_stamp = 1,  // an SDK's preferences on an event of a source whose key is public
    server_stamp = 2,  // the same from a source of trust server
    server = 3,        // POST /v1/consents by a source of trust server
    officer = 4,
};

// How surely the identifier is one human's. Under a weak or shared one no answer reaches the
// person, only the identifier; but a browser's opt-out signal on a weak one does, for the law says
// so.
enum class Strength : std::uint8_t { strong = 1, weak = 2, shared = 3 };

enum class Basis : std::uint8_t {
    consent = 1,
    explicit_consent = 2,
    contract = 3,
    legal_obligation = 4,
    vital = 5,
    public_task = 6,
    legitimate_interest = 7,
    soft_opt_in = 8,
    casl_implied_2y = 9,
    casl_implied_6m = 10,
    opt_out_regime = 11,
    kr_trade_6m = 12,
};

enum class Method : std::uint8_t {
    unstated = 1,
    checkbox = 2,
    toggle = 3,
    keyword = 4,    // STOP in a text message
    one_click = 5,  // RFC 8058
    form = 6,
    verbal = 7,
    paper = 8,
    import = 9,
    agent = 10,  // somebody who may speak for the person
    signal = 11,
    preference_link = 12,
    other = 13,
};

enum class SignalType : std::uint8_t { tcf = 1, gpp, gpc, att, gcm, cmp, usp };

// Of a minor, in years. The law draws its lines at 13, 14, 16 and 18.
enum class AgeBand : std::uint8_t { under_13 = 1, age_13 = 2, age_14_15 = 3, age_16_17 = 4 };

enum class ActorKind : std::uint8_t { self = 1, officer = 2, agent = 3, import = 4, api = 5 };

// What refuses.
constexpr bool is_denial(State state) {
    return state == State::denied || state == State::withdrawn || state == State::objected ||
           state == State::restricted;
}

// The scope of an answer that named none. A denial reaches as far as it can; a grant, which never
// spreads, must be able to take back what an earlier answer of the same kind denied.
inline constexpr Scope kDefaultScope = Scope::person;

// A denial's purpose may be all of them; a grant names one.
inline constexpr std::string_view kAllPurposes = "*";

// Anybody can send what a client can: its denials count, but it grants nothing on an e-mail address
// or phone number (`contact`). decide() and record() both hold to this.
constexpr bool counts(State state, Origin origin, bool contact) {
    return is_denial(state) || origin != Origin::client_stamp || !contact;
}

// The first year of the band.
constexpr std::uint8_t youngest(AgeBand band) {
    switch (band) {
        case AgeBand::under_13: return 0;
        case AgeBand::age_13: return 13;
        case AgeBand::age_14_15: return 14;
        case AgeBand::age_16_17: return 16;
    }
    return 0;
}

std::string_view to_string(State value);
std::optional<State> parse_state(std::string_view name);
std::string_view to_string(Scope value);
std::optional<Scope> parse_scope(std::string_view name);
std::string_view to_string(Origin value);
std::optional<Origin> parse_origin(std::string_view name);
std::string_view to_string(Strength value);
std::optional<Strength> parse_strength(std::string_view name);
std::string_view to_string(Basis value);
std::optional<Basis> parse_basis(std::string_view name);
std::string_view to_string(Method value);
std::optional<Method> parse_method(std::string_view name);
std::string_view to_string(SignalType value);
std::optional<SignalType> parse_signal_type(std::string_view name);
std::string_view to_string(AgeBand value);
std::optional<AgeBand> parse_age_band(std::string_view name);
std::string_view to_string(ActorKind value);
std::optional<ActorKind> parse_actor_kind(std::string_view name);

}  // namespace consent
