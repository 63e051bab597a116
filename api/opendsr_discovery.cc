#include <utility>

#include "api/opendsr.h"
#include "api/opendsr_answer.h"
#include "api/problem.h"
#include "api/protocol_handlers.h"
#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"

namespace api {
namespace {

constexpr const char* kCacheable = "Cache-Control: public, max-age=3600\r\n";

Response discovery(const Services& services, const OpenDsrSigner& signer) {
    const auto& dsr = *services.open_dsr;
    Response response;
    response.headers = kCacheable;
    response.body = render_discovery(
        {.identity_types = dsr.config().identity_types,
         .certificate_url = dsr.url("/v2/certificate.pem"),
         .access = services.platform.privacy().requests.serves(cdp::PrivacyKind::access),
         .self_signed = signer.self_signed()});
    return response;
}

Response certificate(const Services&, const OpenDsrSigner& signer) {
    Response response;
    response.content_type = "application/x-pem-file";
    response.headers = kCacheable;
    response.body = signer.certificate();
    return response;
}

// Where the key is not there yet it is made, which takes its time.
void answer_with(const Services& services, const Request& request,
                 Response (*write)(const Services&, const OpenDsrSigner&), Answer answer) {
    if (const auto* ready = services.open_dsr->ready_signer())
        return answer(write(services, *ready));
    services.aside(request, [&services, write, answer = std::move(answer)] {
        const auto signer = services.open_dsr->signer();
        answer(signer ? write(services, **signer) : problem(signer.error()));
    });
}

}  // namespace

void discover_opendsr(const Services& services, const Request& request, Answer answer) {
    answer_with(services, request, discovery, std::move(answer));
}

void opendsr_certificate(const Services& services, const Request& request, Answer answer) {
    answer_with(services, request, certificate, std::move(answer));
}

}  // namespace api
