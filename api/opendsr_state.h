#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/opendsr_answer.h"
#include "cdp/privacy_request.h"

// What OpenDSR says of a privacy request. Pure.
namespace api {

// The protocol's own of a request, kept with it. Holds no personal data.
struct OpenDsrContext {
    std::string api_version;
    cdp::Timestamp received{};
    std::string content;        // a keyed hash of the body, for who sends it again
    std::string header_prefix;  // X-OpenDSR-, or of an older name
    std::vector<std::string> callback_urls;
};

std::string encode(const OpenDsrContext& context);
// nullopt when the bytes are not what encode wrote.
std::optional<OpenDsrContext> decode_opendsr_context(std::string_view bytes);

// There is no status for what failed: it is cancelled, because nothing was
// done.
OpenDsrStatus status_of(cdp::PrivacyState state);

// Without a results_url, which is the asker's to make. What an access or
// portability finds is counted, of an erasure what it took.
OpenDsrState state_of(const cdp::PrivacyRequest& request, const OpenDsrContext& context);

}  // namespace api
