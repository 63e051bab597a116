#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What data may be asked for, and what that takes. Configuration.
namespace consent {

// What it takes before data may be used for a purpose.
enum class Regime : std::uint8_t {
    identifier_opt_in,  // a grant on the very address that will be used (e-mail marketing)
    person_opt_in,      // a grant on the identifier under which the datum was collected
    person_opt_out,     // allowed until somebody objects
    contract,           // consent is not the basis; a restriction still refuses
    legal_obligation,   // the law demands it: nothing that the person says refuses
};

// What is sent for a purpose. Marketing has quiet hours and must say what it is.
enum class MessageClass : std::uint8_t { marketing, service };

// Another regime than the purpose's own, where it is asked about some people or channels. Of the
// rows that apply in a jurisdiction the one that names it most narrowly holds.
struct RegimeRow {
    std::vector<std::string> jurisdictions = {};  // ISO 3166: `US` holds for `US-CA`; empty: all
    std::vector<std::string> channels = {};       // empty: all
    Regime regime = Regime::person_opt_in;
};

// Names are hierarchical by '/': what was said about `marketing` covers `marketing/email`.
struct Purpose {
    std::string name = {};
    Regime regime = Regime::person_opt_in;
    // Where a regime is identifier_opt_in: the identifier types that the purpose addresses,
    // `email`.
    std::vector<std::string> target_types = {};
    std::vector<RegimeRow> regimes = {};
    // Keys of signals that speak about the purpose: `tcf/3`, `gpp/sale`, `gpc`, `att`.
    std::vector<std::string> signals = {};
    // Absent: service where the regime is contract or legal_obligation, else marketing.
    std::optional<MessageClass> message_class = {};

    MessageClass sends() const;
};

std::string_view to_string(Regime value);
std::optional<Regime> parse_regime(std::string_view name);
std::string_view to_string(MessageClass value);
std::optional<MessageClass> parse_message_class(std::string_view name);

}  // namespace consent
