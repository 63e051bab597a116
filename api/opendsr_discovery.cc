#include "api/opendsr.h"
#include "api/opendsr_answer.h"
#include "api/problem.h"
#include "api/protocol_handlers.h"
#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"

namespace api {
namespace {

constexpr const char* kCacheable = "Cache-Control: public, max-age=3600\r\n";

}  // namespace

Response discover_opendsr(const Services& services, const Request&) {
    const auto& dsr = *services.open_dsr;
    const auto signer = dsr.signer();
    if (!signer) return problem(signer.error());
    Response response;
    response.headers = kCacheable;
    response.body = render_discovery(
        {.identity_types = dsr.config().identity_types,
         .certificate_url = dsr.url("/v2/certificate.pem"),
         .access = services.platform.privacy().requests.serves(cdp::PrivacyKind::access),
         .self_signed = (*signer)->self_signed()});
    return response;
}

Response opendsr_certificate(const Services& services, const Request&) {
    const auto signer = services.open_dsr->signer();
    if (!signer) return problem(signer.error());
    Response response;
    response.content_type = "application/x-pem-file";
    response.headers = kCacheable;
    response.body = (*signer)->certificate();
    return response;
}

}  // namespace api
