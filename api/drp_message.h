#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "cdp/base/result.h"
#include "cdp/base/time.h"

// Signed messages of the Data Rights Protocol 1.0, held against its rules in its order; pure.
// docs/decisions/0033.
namespace api {

// The protocol advises 10 minutes, and clocks differ.
inline constexpr std::chrono::minutes kDrpLifeMax{15};

// What a message says, and its bytes as they were signed.
struct DrpMessage {
    std::string bytes;
    nlohmann::json claims;
};

// base64 of an Ed25519 signature and what it signs. Errors: invalid_argument, not_base64 and
// not_json; forbidden, signature_wrong.
cdp::Result<DrpMessage> open_drp(std::string_view body, std::string_view verify_key);

// From this agent, to this business, now. When it was issued. Errors: forbidden, agent_differs and
// business_differs; invalid_argument, issued_at_malformed, expires_at_malformed, issued_in_future,
// expired, life_too_long, version_unknown.
cdp::Result<cdp::Timestamp> check_envelope(const nlohmann::json& claims, std::string_view agent_id,
                                           std::string_view business_id, cdp::Timestamp now);

// A member that is a text; empty when it is not there, or no text.
std::string claim(const nlohmann::json& claims, const char* name);

}  // namespace api
