#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"

// That somebody is never to be contacted again; docs/decisions/0030.
namespace consent {

// The numbers are on disk: never change one, never reuse one.
enum class SuppressionReason : std::uint8_t {
    deceased = 1,
    bounced = 2,
    complaint = 3,
    requested = 4,
    legal = 5,
    other = 6,
};

enum class SuppressionScope : std::uint8_t {
    identifier = 1,  // this contact point leaves in no form
    person = 2,      // nothing leaves of whoever has it
};

std::string_view to_string(SuppressionReason value);
std::string_view to_string(SuppressionScope value);
std::optional<SuppressionReason> parse_suppression_reason(std::string_view name);
std::optional<SuppressionScope> parse_suppression_scope(std::string_view name);

// When nobody says.
SuppressionScope usual_scope(SuppressionReason reason);

// What a decision reads of it.
struct Suppression {
    cdp::RecordId id = {};
    SuppressionReason reason = SuppressionReason::other;
    SuppressionScope scope = SuppressionScope::person;
    cdp::Timestamp from{};
    std::optional<cdp::Timestamp> until = {};  // exclusive; an officer revoked it

    // It is in force from when it is stored on, also by a clock that was set back since.
    bool in_force(cdp::Timestamp now) const { return !until || now < *until; }

    friend bool operator==(const Suppression&, const Suppression&) = default;
};

// Its row in the group of what was said under an identifier. It is not sealed: it names nobody, and
// outlives the identifier's key.
std::string suppression_key(const cdp::Token& token, const cdp::RecordId& id);
std::string suppressions_prefix(const cdp::Token& token);
bool is_suppression(std::string_view row_key);
// The key has the id.
std::string encode(const Suppression& suppression);
// nullopt: not what encode wrote.
std::optional<Suppression> read_suppression(std::string_view row_key, std::string_view bytes);

}  // namespace consent
