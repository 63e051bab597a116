#include "api/opendsr_callbacks.h"

#include <algorithm>
#include <utility>

#include "api/opendsr_state.h"
#include "api/results_link.h"
#include "api/url.h"
#include "cdp/privacy_sender.h"

namespace api {
namespace {

bool is_allowed(const OpenDsr& dsr, const std::string& controller, const std::string& url) {
    const auto parsed = parse_url(url);
    const auto& all = dsr.config().callback_hosts;
    const auto hosts = all.find(controller);
    return parsed && hosts != all.end() &&
           std::ranges::find(hosts->second, parsed->host) != hosts->second.end();
}

cdp::Result<OutgoingRequest> write(const OpenDsr& dsr, const OpenDsrState& state,
                                   const std::string& prefix, const std::string& url) {
    const auto signer = dsr.signer();
    if (!signer)
        return cdp::Error{.code = cdp::ErrorCode::unavailable,
                          .reason = "not_signed",
                          .message = "Nothing can be signed."};
    OutgoingRequest out{.post = true, .url = url, .body = render_callback(state, url)};
    out.headers = {{"Content-Type", "application/json"},
                   {prefix + "Processor-Domain", (*signer)->domain()},
                   {prefix + "Signature", (*signer)->sign(out.body)}};
    return out;
}

}  // namespace

CallbackProtocol opendsr_callbacks(const OpenDsr& dsr, const cdp::OwnSecrets& secrets,
                                   const cdp::Clock& clock) {
    const auto status_of =
        [&dsr, &secrets,
         &clock](const cdp::PrivacyRequest& request) -> cdp::Result<std::optional<ToldStatus>> {
        const auto context = decode_opendsr_context(request.context);
        if (!context) return std::optional<ToldStatus>();
        auto state = state_of(request, *context);
        state.results_url = results_url(dsr, secrets, request, clock.now());
        ToldStatus out{.status = std::string(to_string(state.status)), .callbacks = {}};
        for (const auto& url : context->callback_urls)
            out.callbacks.push_back(
                {.url = url,
                 .allowed = is_allowed(dsr, std::string(cdp::name_in_sender(request.sender)), url),
                 .write = [&dsr, state, url, prefix = context->header_prefix] {
                     return write(dsr, state, prefix, url);
                 }});
        return std::optional(std::move(out));
    };
    return {.protocol = cdp::PrivacyProtocol::open_dsr, .status_of = status_of};
}

}  // namespace api
