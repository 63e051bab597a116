#include "api/opendsr_answer.h"

#include <nlohmann/json.hpp>

#include "cdp/base/assert.h"
#include "consent/base64.h"

namespace api {
namespace {

using nlohmann::ordered_json;

// To the second, as the specification's examples are.
std::string seconds(cdp::Timestamp time) {
    return cdp::format_time(time).substr(0, 19) + "Z";
}

std::string text_of(const ordered_json& document) {
    return document.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

void put_results(ordered_json& out, const OpenDsrState& state) {
    if (!state.results_url.empty()) out["results_url"] = state.results_url;
    if (state.results_count) out["results_count"] = *state.results_count;
}

const char* domain_of(int status) {
    switch (status) {
        case 401: return "Authentication";
        case 403: return "Authorization";
        case 400:
        case 413:
        case 415: return "Validation";
        default: return "Service";
    }
}

}  // namespace

std::string_view to_string(OpenDsrStatus status) {
    switch (status) {
        case OpenDsrStatus::pending: return "pending";
        case OpenDsrStatus::in_progress: return "in_progress";
        case OpenDsrStatus::completed: return "completed";
        case OpenDsrStatus::cancelled: return "cancelled";
    }
    CDP_ASSERT(false);
    return "";
}

std::string render_received(const OpenDsrState& state, std::string_view request) {
    return text_of({{"controller_id", state.controller_id},
                    {"expected_completion_time", seconds(state.expected_completion)},
                    {"received_time", seconds(state.received)},
                    {"encoded_request", consent::to_base64(request)},
                    {"subject_request_id", state.subject_request_id}});
}

std::string render_status(const OpenDsrState& state) {
    ordered_json out{{"controller_id", state.controller_id},
                     {"expected_completion_time", seconds(state.expected_completion)},
                     {"subject_request_id", state.subject_request_id},
                     {"request_status", to_string(state.status)}};
    if (!state.api_version.empty()) out["api_version"] = state.api_version;
    put_results(out, state);
    return text_of(out);
}

std::string render_cancelled(const OpenDsrState& state, cdp::Timestamp now) {
    ordered_json out{{"controller_id", state.controller_id},
                     {"subject_request_id", state.subject_request_id},
                     {"received_time", seconds(now)}};
    if (!state.api_version.empty()) out["api_version"] = state.api_version;
    return text_of(out);
}

std::string render_callback(const OpenDsrState& state, const std::string& url) {
    ordered_json out{{"controller_id", state.controller_id},
                     {"expected_completion_time", seconds(state.expected_completion)},
                     {"status_callback_url", url},
                     {"subject_request_id", state.subject_request_id},
                     {"request_status", to_string(state.status)}};
    put_results(out, state);
    return text_of(out);
}

std::string render_refusal(const OpenDsrRefusal& refusal) {
    auto message = refusal.message;
    if (!refusal.pointer.empty()) message += " At " + refusal.pointer + ".";
    return text_of({{"error",
                     {{"code", refusal.status},
                      {"message", refusal.message},
                      {"errors", ordered_json::array({{{"domain", domain_of(refusal.status)},
                                                       {"reason", refusal.code},
                                                       {"message", message}}})}}}});
}

std::string render_discovery(const OpenDsrDiscovery& discovery) {
    auto identities = ordered_json::array();
    for (const auto& [type, ours] : discovery.identity_types)
        for (const auto* format : {"raw", "sha1", "md5", "sha256"})
            identities.push_back({{"identity_type", type}, {"identity_format", format}});
    ordered_json out{{"api_version", "2.0"},
                     {"supported_identities", identities},
                     {"supported_subject_request_types",
                      discovery.access ? ordered_json{"access", "portability", "erasure"}
                                       : ordered_json::array({"erasure"})},
                     {"processor_certificate", discovery.certificate_url}};
    if (discovery.self_signed) out["self_signed"] = true;
    return text_of(out);
}

}  // namespace api
