#pragma once

#include <string>
#include <string_view>

#include "api/drp_message.h"
#include "cdp/agents.h"
#include "cdp/privacy_request.h"

// Between the Data Rights Protocol and privacy requests; docs/decisions/0033. Pure.
namespace api {

// What a message asks for. Errors: invalid_argument, exercise_unknown, regime_unknown,
// identity_missing, callback_malformed, malformed_agent_request_id.
cdp::Result<cdp::NewPrivacyRequest> drp_request_of(const DrpMessage& message,
                                                   const cdp::Agent& agent,
                                                   const cdp::AgentTerms& config,
                                                   cdp::Timestamp now);

// Whose requests an agent's are: agent:ID.
std::string drp_sender(const cdp::Agent& agent);
// Where its agent is called back; empty: nowhere.
std::string callback_of(const cdp::PrivacyRequest& request);

// The id as the protocol has it, a UUID; and back, empty unless it is one.
std::string uuid_of(const cdp::PrivacyRequestId& id);
std::string id_in_uuid(std::string_view uuid);

// Where the person is sent on to; empty: nowhere.
struct DrpUrls {
    std::string results = {};       // what was asked to be seen
    std::string verification = {};  // how to prove who asks
};

// The exercise status object, as it is `now`.
std::string drp_status(const cdp::PrivacyRequest& request, const DrpUrls& urls, cdp::Timestamp now);
// Its status, and its reason if it has one, in a line.
std::string drp_standing(const cdp::PrivacyRequest& request, cdp::Timestamp now);

}  // namespace api
