#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/opendsr_config.h"
#include "cdp/base/time.h"
#include "cdp/hash_search.h"

// The documents that OpenDSR answers with. Pure.
namespace api {

enum class OpenDsrStatus { pending, in_progress, completed, cancelled };

std::string_view to_string(OpenDsrStatus status);

// What they say of a request.
struct OpenDsrState {
    std::string controller_id;
    std::string subject_request_id;
    std::string api_version = {};  // empty: not said
    cdp::Timestamp received{};
    cdp::Timestamp expected_completion{};
    OpenDsrStatus status = OpenDsrStatus::pending;
    std::string results_url = {};  // empty: there is none
    std::optional<std::uint64_t> results_count = {};
};

// Of POST, whose body was `request`.
std::string render_received(const OpenDsrState& state, std::string_view request);
std::string render_status(const OpenDsrState& state);
// Of DELETE, which came at `now`.
std::string render_cancelled(const OpenDsrState& state, cdp::Timestamp now);
std::string render_callback(const OpenDsrState& state, const std::string& url);

struct OpenDsrRefusal {
    int status = 400;
    std::string code;     // of ours
    std::string message;  // one sentence
    std::string pointer = {};
};
std::string render_refusal(const OpenDsrRefusal& refusal);

struct OpenDsrDiscovery {
    const IdentityTypes& identity_types;
    std::string certificate_url;
    bool access = false;  // and portability
    bool self_signed = false;
};
std::string render_discovery(const OpenDsrDiscovery& discovery);

}  // namespace api
