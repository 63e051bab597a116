#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "api/credentials.h"
#include "api/drp_answer.h"
#include "api/drp_request.h"
#include "api/json.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "api/protocol_handlers.h"
#include "cdp/agents.h"
#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"

// The routes of the Data Rights Protocol. They are open to everybody, and let in whom a token and a
// signature prove to be a registered agent.
namespace api {
namespace {

using cdp::Result;

Response told(std::string body) {
    Response response;
    response.body = std::move(body) + "\n";
    response.headers = kPrivate;
    return response;
}

cdp::Error unknown_agent() {
    return {.code = cdp::ErrorCode::forbidden,
            .reason = "agent_unknown",
            .message = "No registered agent has this token."};
}

// What a handler copies of a request before it answers later.
struct Call {
    const cdp::Privacy& privacy;
    const OpenDsr& open_dsr;
    const cdp::Clock& clock;
    cdp::AgentTerms config;
    cdp::Timestamp now;
    std::string token;
    std::string body;
    std::string parameter;
};

Call call_of(const Services& services, const Request& request) {
    return {.privacy = services.platform.privacy(),
            .open_dsr = *services.open_dsr,
            .clock = services.clock,
            .config = services.platform.privacy().agents.terms(),
            .now = services.clock.now(),
            .token = key_of(request).value_or(""),
            .body = std::string(request.body),
            .parameter = percent_decode(request.parameter)};
}

std::string told_of(const cdp::PrivacyRequest& request, const Call& call) {
    return drp_answer({.place = call.open_dsr,
                       .secrets = call.privacy.secrets,
                       .agents = call.privacy.agents,
                       .clock = call.clock},
                      request);
}

Result<cdp::Agent> agent_of(const Call& call) {
    if (call.config.business_id.empty())
        return cdp::Error{.code = cdp::ErrorCode::not_found,
                          .reason = "drp_not_served",
                          .message = "The Data Rights Protocol is not served here."};
    auto agent = CDP_TRY(call.privacy.agents.of_token(call.token));
    if (!agent) return unknown_agent();
    return *std::move(agent);
}

// The agent's own.
Result<cdp::PrivacyRequest> request_of(const Call& call, const cdp::Agent& agent) {
    auto request =
        CDP_TRY(call.privacy.requests.read(std::string_view(id_in_uuid(call.parameter))));
    if (request.protocol == cdp::PrivacyProtocol::drp && request.sender == drp_sender(agent))
        return request;
    return cdp::Error{.code = cdp::ErrorCode::forbidden,
                      .reason = "request_foreign",
                      .message = "Another agent manages this request."};
}

Result<std::string> exercise(const Call& call) {
    const auto agent = CDP_TRY(agent_of(call));
    const auto message = CDP_TRY(open_drp(call.body, agent.verify_key));
    CDP_TRY(check_envelope(message.claims, agent.id, call.config.business_id, call.now));
    const auto wanted = CDP_TRY(drp_request_of(message, agent, call.config, call.now));
    const auto taken = call.privacy.requests.submit(drp_sender(agent), wanted);
    if (!taken && taken.error().reason == "kind_not_served")
        return invalid("exercise_unknown", "Unsupported rights actions submitted.");
    if (!taken) return taken.error();
    return told_of(*taken, call);
}

Result<std::string> status(const Call& call) {
    const auto agent = CDP_TRY(agent_of(call));
    return told_of(CDP_TRY(request_of(call, agent)), call);
}

// The protocol's message names no request. So it may, and is else good for the first that it is
// used for; and what was signed to ask for something revokes nothing.
Result<void> check_revocation(const Call& call, const cdp::Agent& agent, const DrpMessage& message,
                              const cdp::PrivacyRequestId& id) {
    const auto& claims = message.claims;
    const cdp::Error foreign{.code = cdp::ErrorCode::forbidden,
                             .reason = "message_foreign",
                             .message = "This message was signed for something else."};
    if (claims.contains("exercise")) return foreign;
    if (claims.contains("request_id") && claim(claims, "request_id") != call.parameter)
        return foreign;
    if (claims.contains("agent-id") || claims.contains("expires-at"))
        CDP_TRY(check_envelope(claims, agent.id, call.config.business_id, call.now));
    if (!CDP_TRY(call.privacy.agents.use_once(message.bytes, id))) return foreign;
    return Result<void>::ok();
}

Result<std::string> revoke(const Call& call) {
    const auto agent = CDP_TRY(agent_of(call));
    const auto message = CDP_TRY(open_drp(call.body, agent.verify_key));
    auto request = CDP_TRY(request_of(call, agent));
    CDP_CHECK(check_revocation(call, agent, message, request.id));
    if (request.state != cdp::PrivacyState::cancelled)
        request = CDP_TRY(call.privacy.requests.step(drp_sender(agent), request.id,
                                                     {.act = cdp::PrivacyAct::cancel}));
    return told_of(request, call);
}

// What has another member was signed for something else.
bool sets_up(const nlohmann::json& claims) {
    constexpr std::array<std::string_view, 5> kMembers{"agent-id", "business-id", "issued-at",
                                                       "expires-at", "drp.version"};
    return std::ranges::all_of(claims.items(), [&](const auto& member) {
        return std::ranges::find(kMembers, member.key()) != kMembers.end();
    });
}

Result<std::string> set_up(const Call& call) {
    const auto agent = CDP_TRY(call.privacy.agents.find(call.parameter));
    if (!agent || call.config.business_id.empty()) return unknown_agent();
    const auto message = CDP_TRY(open_drp(call.body, agent->verify_key));
    const auto issued =
        CDP_TRY(check_envelope(message.claims, agent->id, call.config.business_id, call.now));
    if (!sets_up(message.claims)) return unknown_agent();
    const auto token = CDP_TRY(call.privacy.agents.set_up(agent->id, message.bytes, issued));
    return nlohmann::json{{"agent-id", agent->id}, {"token", token}}.dump();
}

using Work = Result<std::string> (*)(const Call&);

void later(const Services& services, const Request& request, Answer answer, Work work) {
    services.aside(request, [call = call_of(services, request), answer = std::move(answer), work] {
        auto done = work(call);
        answer(done ? told(*std::move(done)) : problem(done.error()));
    });
}

}  // namespace

void exercise_data_right(const Services& services, const Request& request, Answer answer) {
    later(services, request, std::move(answer), exercise);
}

Response read_data_right(const Services& services, const Request& request) {
    auto body = status(call_of(services, request));
    return body ? told(*std::move(body)) : problem(body.error());
}

void revoke_data_right(const Services& services, const Request& request, Answer answer) {
    later(services, request, std::move(answer), revoke);
}

// Refused without a word.
void set_agent_up(const Services& services, const Request& request, Answer answer) {
    services.aside(request, [call = call_of(services, request), answer = std::move(answer)] {
        auto done = set_up(call);
        if (done) return answer(told(*std::move(done)));
        const auto code = done.error().code;
        const bool ours = to_status(code) >= 500;
        Response refused = ours ? problem(done.error()) : Response{};
        if (!ours) refused.status = 403;
        answer(std::move(refused));
    });
}

Response read_agent(const Services& services, const Request& request) {
    const auto call = call_of(services, request);
    const auto agent = agent_of(call);
    if (!agent) return problem(agent.error());
    if (agent->id != call.parameter) return problem(unknown_agent());
    return told("{}");
}

}  // namespace api
