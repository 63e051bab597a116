#include <algorithm>

#include "api/opendsr.h"
#include "api/opendsr_dialect.h"
#include "api/opendsr_identities.h"
#include "api/opendsr_request.h"
#include "api/opendsr_state.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "api/protocol_handlers.h"
#include "api/results_link.h"
#include "cdp/own_secrets.h"
#include "cdp/privacy.h"
#include "cdp/privacy_regimes.h"
#include "cdp/privacy_requests.h"

namespace api {
namespace {

using cdp::PrivacyProtocol;

// What is asked, by whom, on which of the protocol's names.
struct Asked {
    std::string body;
    std::string controller;
    std::string header_prefix;
};

cdp::PrivacyKind kind_of(OpenDsrType type) {
    switch (type) {
        case OpenDsrType::access: return cdp::PrivacyKind::access;
        case OpenDsrType::portability: return cdp::PrivacyKind::portability;
        case OpenDsrType::erasure: return cdp::PrivacyKind::erasure;
    }
    CDP_ASSERT(false);
    return cdp::PrivacyKind::access;
}

cdp::Error reused() {
    return invalid("request_id_reused", "Another request was sent under this id.",
                   "/subject_request_id");
}

cdp::Result<OpenDsrContext> context_of(const cdp::PrivacyRequest& request) {
    if (request.context.empty()) {  // gone with the person
        OpenDsrContext out;
        out.received = request.received;
        return out;
    }
    if (auto context = decode_opendsr_context(request.context)) return *std::move(context);
    return cdp::Error{.code = cdp::ErrorCode::corruption,
                      .reason = "data_damaged",
                      .message = "Stored data are damaged.",
                      .detail = "the context of a request of OpenDSR"};
}

OpenDsrState shown_of(const Services& services, const cdp::PrivacyRequest& request,
                      const OpenDsrContext& context) {
    auto state = state_of(request, context);
    state.results_url = results_url(*services.open_dsr, services.platform.privacy().secrets,
                                    request, services.clock.now());
    return state;
}

// Until when it can be cancelled, which is never after its answer is due; nullopt: that is over.
std::optional<cdp::Timestamp> not_before(const cdp::NewPrivacyRequest& request, cdp::Timestamp now,
                                         std::chrono::seconds window) {
    const auto* regime = cdp::find_privacy_regime(request.regime);
    if (!regime) return now + window;  // refused when it is submitted
    const auto due =
        cdp::deadlines_of(*regime, cdp::opts_out(request.kind), *request.received).answer_by;
    if (due < now) return std::nullopt;
    return std::min(due, now + window);
}

// nullopt: there is none under this id.
cdp::Result<std::optional<cdp::PrivacyRequest>> earlier(const cdp::PrivacyRequests& requests,
                                                        const Asked& asked, const std::string& id,
                                                        const std::string& content) {
    auto found = requests.find(PrivacyProtocol::open_dsr, asked.controller, id);
    if (!found && found.error().reason == "request_unknown")
        return std::optional<cdp::PrivacyRequest>();
    if (!found) return found.error();
    const auto context = CDP_TRY(context_of(*found));
    // Whether it is the same is then known by what was taken down.
    if (context.content.empty()) return std::optional<cdp::PrivacyRequest>();
    if (context.content != content) return reused();
    return std::optional(*std::move(found));
}

cdp::Result<cdp::PrivacyRequest> take(const Services& services, const Asked& asked) {
    const auto& dsr = *services.open_dsr;
    const auto& privacy = services.platform.privacy();
    const auto now = services.clock.now();
    const auto wanted = CDP_TRY(read_opendsr_request(
        asked.body,
        {.domain = dsr.domain(), .identity_types = dsr.config().identity_types, .now = now}));
    const auto content = privacy.secrets.hash("opendsr body", asked.body);
    if (auto known = CDP_TRY(earlier(privacy.requests, asked, wanted.id, content)))
        return *std::move(known);

    cdp::NewPrivacyRequest request;
    request.kind = kind_of(wanted.type);
    request.protocol = PrivacyProtocol::open_dsr;
    request.external_id = wanted.id;
    request.regime = wanted.regulation;
    request.identifiers = CDP_TRY(identifiers_of(wanted.identities, privacy.hashes));
    // It has to know whose data it asks about: nothing here is verified for it.
    request.verified_by = "controller";
    request.whole_person = true;
    // The term runs from when the person asked, however late that is sent.
    request.received = std::min(wanted.submitted, now);
    request.not_before = not_before(request, now, dsr.config().cancel_window);
    request.context = encode(OpenDsrContext{.api_version = wanted.api_version,
                                            .received = now,
                                            .content = content,
                                            .header_prefix = asked.header_prefix,
                                            .callback_urls = wanted.callback_urls});
    request.content = content;
    request.callbacks = !wanted.callback_urls.empty();
    auto taken = privacy.requests.submit(asked.controller, request);
    // Somebody sent it twice at once.
    if (!taken && taken.error().reason == "request_id_reused") {
        if (auto known = CDP_TRY(earlier(privacy.requests, asked, wanted.id, content)))
            return *std::move(known);
        return reused();
    }
    return taken;
}

// The platform names identifiers by their place in a list that the controller
// never saw.
cdp::Error in_their_words(cdp::Error error) {
    if (error.pointer.starts_with("/identifiers")) error.pointer = "/subject_identities";
    return error;
}

Response received(const Services& services, const Asked& asked) {
    const auto request = take(services, asked);
    if (!request) return problem(in_their_words(request.error()));
    const auto context = context_of(*request);
    if (!context) return problem(context.error());
    Response response;
    response.status = 201;
    response.headers = kPrivate;
    response.body = render_received(state_of(*request, *context), asked.body);
    return response;
}

cdp::Result<cdp::PrivacyRequest> find(const Services& services, const Request& request) {
    return services.platform.privacy().requests.find(PrivacyProtocol::open_dsr, author_of(request),
                                                     percent_decode(request.parameter));
}

Response cancelled(const Services& services, const cdp::PrivacyRequest& request,
                   const std::string& controller) {
    const auto context = context_of(request);
    if (!context) return problem(context.error());
    const auto done = services.platform.privacy().requests.step(
        controller, request.id, {.act = cdp::PrivacyAct::cancel, .code = "by_controller"});
    // What is cancelled stays so, however often that is said.
    if (!done && done.error().reason == "step_not_possible" &&
        request.state != cdp::PrivacyState::cancelled)
        return problem(invalid("not_pending", "Only what is pending can be cancelled."));
    if (!done && done.error().reason != "step_not_possible") return problem(done.error());
    Response response;
    response.status = 202;
    response.headers = kPrivate;
    response.body = render_cancelled(state_of(request, *context), services.clock.now());
    return response;
}

}  // namespace

void submit_opendsr(const Services& services, const Request& request, Answer answer) {
    services.aside(request,
                   [&services,
                    asked = Asked{.body = std::string(request.body),
                                  .controller = author_of(request),
                                  .header_prefix = std::string(opendsr_prefix(request.head->path))},
                    answer = std::move(answer)] { answer(received(services, asked)); });
}

Response read_opendsr(const Services& services, const Request& request) {
    const auto found = find(services, request);
    if (!found) return problem(found.error());
    const auto context = context_of(*found);
    if (!context) return problem(context.error());
    Response response;
    response.headers = kPrivate;
    response.body = render_status(shown_of(services, *found, *context));
    return response;
}

void cancel_opendsr(const Services& services, const Request& request, Answer answer) {
    auto found = find(services, request);
    if (!found) return answer(problem(found.error()));
    services.aside(
        request, [&services, found = *std::move(found), controller = author_of(request),
                  answer = std::move(answer)] { answer(cancelled(services, found, controller)); });
}

}  // namespace api
