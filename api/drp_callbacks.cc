#include "api/drp_callbacks.h"

#include <algorithm>
#include <utility>

#include "api/drp_request.h"
#include "api/url.h"
#include "cdp/privacy_sender.h"

namespace api {

CallbackProtocol drp_callbacks(const DrpAnswers& with) {
    const auto status_of =
        [with](const cdp::PrivacyRequest& request) -> cdp::Result<std::optional<ToldStatus>> {
        ToldStatus out{.status = drp_standing(request, with.clock.now()), .callbacks = {}};
        const auto url = callback_of(request);
        if (url.empty()) return std::optional(std::move(out));
        const auto parsed = parse_url(url);
        const auto agent = CDP_TRY(with.agents.find(cdp::name_in_sender(request.sender)));
        const bool allowed =
            parsed && agent &&
            std::ranges::find(agent->callback_hosts, parsed->host) != agent->callback_hosts.end();
        const auto write = [url,
                            body = drp_answer(with, request)]() -> cdp::Result<OutgoingRequest> {
            return OutgoingRequest{.post = true,
                                   .url = url,
                                   .headers = {{"Content-Type", "application/json"}},
                                   .body = body};
        };
        out.callbacks.push_back({.url = url, .allowed = allowed, .write = write});
        return std::optional(std::move(out));
    };
    return {.protocol = cdp::PrivacyProtocol::drp, .status_of = status_of};
}

}  // namespace api
