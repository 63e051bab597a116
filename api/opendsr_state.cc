#include "api/opendsr_state.h"

#include "cdp/base/assert.h"
#include "cdp/base/bytes.h"
#include "cdp/privacy_sender.h"

namespace api {
namespace {

constexpr std::uint8_t kFormat = 1;

}  // namespace

std::string encode(const OpenDsrContext& context) {
    cdp::ByteWriter out;
    out.u8(kFormat).bytes(context.api_version).i64(cdp::milliseconds_of(context.received));
    out.bytes(context.content).bytes(context.header_prefix);
    out.u32(static_cast<std::uint32_t>(context.callback_urls.size()));
    for (const auto& url : context.callback_urls) out.bytes(url);
    return out.take();
}

std::optional<OpenDsrContext> decode_opendsr_context(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    const auto format = in.u8();
    OpenDsrContext out;
    out.api_version = in.bytes();
    out.received = cdp::timestamp_of(in.i64());
    out.content = in.bytes();
    out.header_prefix = in.bytes();
    for (auto left = in.u32(); left > 0 && in.ok(); --left)
        out.callback_urls.emplace_back(in.bytes());
    if (format != kFormat || !in.done()) return std::nullopt;
    return out;
}

OpenDsrStatus status_of(cdp::PrivacyState state) {
    switch (state) {
        case cdp::PrivacyState::received:
        case cdp::PrivacyState::waiting_for_verification:
        case cdp::PrivacyState::verified: return OpenDsrStatus::pending;
        case cdp::PrivacyState::in_progress: return OpenDsrStatus::in_progress;
        case cdp::PrivacyState::fulfilled: return OpenDsrStatus::completed;
        case cdp::PrivacyState::denied:
        case cdp::PrivacyState::cancelled:
        case cdp::PrivacyState::expired: return OpenDsrStatus::cancelled;
    }
    CDP_ASSERT(false);
    return OpenDsrStatus::cancelled;
}

OpenDsrState state_of(const cdp::PrivacyRequest& request, const OpenDsrContext& context) {
    OpenDsrState out{.controller_id = std::string(cdp::name_in_sender(request.sender)),
                     .subject_request_id = request.external_id,
                     .api_version = context.api_version,
                     .received = context.received,
                     .expected_completion = request.due(),
                     .status = status_of(request.state)};
    if (out.status != OpenDsrStatus::completed) return out;
    out.results_count = 0;
    for (const auto& [kind, count] : request.results.counts) *out.results_count += count;
    return out;
}

}  // namespace api
