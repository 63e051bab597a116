#include "consent/record_words.h"

#include <utility>

#include "consent/names.h"

namespace consent {
namespace {

using namespace std::string_view_literals;

constexpr Names kStates{std::pair{State::granted, "granted"sv},
                        std::pair{State::denied, "denied"sv},
                        std::pair{State::withdrawn, "withdrawn"sv},
                        std::pair{State::objected, "objected"sv},
                        std::pair{State::restricted, "restricted"sv},
                        std::pair{State::pending_doi, "pending_doi"sv},
                        std::pair{State::expired, "expired"sv},
                        std::pair{State::invalidated, "invalidated"sv},
                        std::pair{State::reconfirmed, "reconfirmed"sv},
                        std::pair{State::not_applicable, "not_applicable"sv},
                        std::pair{State::noticed, "noticed"sv}};
constexpr Names kScopes{std::pair{Scope::identifier, "identifier"sv},
                        std::pair{Scope::device, "device"sv}, std::pair{Scope::person, "person"sv}};
constexpr Names kOrigins{std::pair{Origin::client_stamp, "client_stamp"sv},
                         std::pair{Origin::server_stamp, "server_stamp"sv},
                         std::pair{Origin::server, "server"sv},
                         std::pair{Origin::officer, "officer"sv}};
constexpr Names kStrengths{std::pair{Strength::strong, "strong"sv},
                           std::pair{Strength::weak, "weak"sv},
                           std::pair{Strength::shared, "shared"sv}};
constexpr Names kBases{std::pair{Basis::consent, "consent"sv},
                       std::pair{Basis::explicit_consent, "explicit_consent"sv},
                       std::pair{Basis::contract, "contract"sv},
                       std::pair{Basis::legal_obligation, "legal_obligation"sv},
                       std::pair{Basis::vital, "vital"sv},
                       std::pair{Basis::public_task, "public_task"sv},
                       std::pair{Basis::legitimate_interest, "legitimate_interest"sv},
                       std::pair{Basis::soft_opt_in, "soft_opt_in"sv},
                       std::pair{Basis::casl_implied_2y, "casl_implied_2y"sv},
                       std::pair{Basis::casl_implied_6m, "casl_implied_6m"sv},
                       std::pair{Basis::opt_out_regime, "opt_out_regime"sv},
                       std::pair{Basis::kr_trade_6m, "kr_trade_6m"sv}};
// `unstated` is written as nothing, which no name here is.
constexpr Names kMethods{std::pair{Method::checkbox, "checkbox"sv},
                         std::pair{Method::toggle, "toggle"sv},
                         std::pair{Method::keyword, "keyword"sv},
                         std::pair{Method::one_click, "one_click"sv},
                         std::pair{Method::form, "form"sv},
                         std::pair{Method::verbal, "verbal"sv},
                         std::pair{Method::paper, "paper"sv},
                         std::pair{Method::import, "import"sv},
                         std::pair{Method::agent, "agent"sv},
                         std::pair{Method::signal, "signal"sv},
                         std::pair{Method::preference_link, "preference_link"sv}};
constexpr Names kSignals{std::pair{SignalType::tcf, "tcf"sv}, std::pair{SignalType::gpp, "gpp"sv},
                         std::pair{SignalType::gpc, "gpc"sv}, std::pair{SignalType::att, "att"sv},
                         std::pair{SignalType::gcm, "gcm"sv}, std::pair{SignalType::cmp, "cmp"sv},
                         std::pair{SignalType::usp, "usp"sv}};
constexpr Names kBands{std::pair{AgeBand::under_13, "under_13"sv},
                       std::pair{AgeBand::age_13, "13"sv}, std::pair{AgeBand::age_14_15, "14_15"sv},
                       std::pair{AgeBand::age_16_17, "16_17"sv}};
constexpr Names kActors{
    std::pair{ActorKind::self, "self"sv}, std::pair{ActorKind::officer, "officer"sv},
    std::pair{ActorKind::agent, "agent"sv}, std::pair{ActorKind::import, "import"sv},
    std::pair{ActorKind::api, "api"sv}};

}  // namespace

std::string_view to_string(State value) {
    return kStates.name(value);
}
std::optional<State> parse_state(std::string_view name) {
    return kStates.value(name);
}
std::string_view to_string(Scope value) {
    return kScopes.name(value);
}
std::optional<Scope> parse_scope(std::string_view name) {
    return kScopes.value(name);
}
std::string_view to_string(Origin value) {
    return kOrigins.name(value);
}
std::optional<Origin> parse_origin(std::string_view name) {
    return kOrigins.value(name);
}
std::string_view to_string(Strength value) {
    return kStrengths.name(value);
}
std::optional<Strength> parse_strength(std::string_view name) {
    return kStrengths.value(name);
}
std::string_view to_string(Basis value) {
    return kBases.name(value);
}
std::optional<Basis> parse_basis(std::string_view name) {
    return kBases.value(name);
}
std::string_view to_string(Method value) {
    return kMethods.name(value);
}
std::optional<Method> parse_method(std::string_view name) {
    return kMethods.value(name);
}
std::string_view to_string(SignalType value) {
    return kSignals.name(value);
}
std::optional<SignalType> parse_signal_type(std::string_view name) {
    return kSignals.value(name);
}
std::string_view to_string(AgeBand value) {
    return kBands.name(value);
}
std::optional<AgeBand> parse_age_band(std::string_view name) {
    return kBands.value(name);
}
std::string_view to_string(ActorKind value) {
    return kActors.name(value);
}
std::optional<ActorKind> parse_actor_kind(std::string_view name) {
    return kActors.value(name);
}

}  // namespace consent
