#include "api/opendsr_dialect.h"

#include <nlohmann/json.hpp>

#include "api/jobs.h"
#include "api/opendsr.h"
#include "api/opendsr_answer.h"
#include "cdp/base/log.h"

namespace api {
namespace {

constexpr std::string_view kProblem = "application/problem+json";

OpenDsrRefusal refusal_in(const Response& response) {
    const auto said = nlohmann::json::parse(response.bytes(), nullptr, /*allow_exceptions=*/false);
    OpenDsrRefusal out{.status = response.status, .code = "internal", .message = "Refused."};
    if (!said.is_object()) return out;
    out.code = said.value("code", out.code);
    out.message = said.value("detail", out.message);
    out.pointer = said.value("pointer", "");
    return out;
}

// As it would be said to whoever asks alike.
void forget_question(OpenDsrRefusal& refusal) {
    refusal.pointer.clear();
    if (refusal.code.ends_with("_parameter"))
        refusal.message = "A query parameter is not known here, or is given more than once.";
}

// For whoever comes next: it takes too long for the threads that serve the network.
void make_signer(const Services& services) {
    services.jobs->give(Work::brief_open, [&services] {
        const auto signer = services.open_dsr->signer();
        if (signer) return;
        cdp::log::write(cdp::log::Level::error, "answer_unsigned",
                        {{"reason", cdp::log::safe(signer.error().reason)},
                         {"detail", cdp::log::safe(signer.error().detail)}});
    });
}

enum class Whom { key_holder, anybody };

void speak_to(Whom whom, const Services& services, const Head& head, Response& response) {
    if (response.status == 204 || response.stream) return;
    const bool refusal = response.content_type == kProblem;
    if (refusal) {
        auto said = refusal_in(response);
        if (whom == Whom::anybody) forget_question(said);
        response.body = render_refusal(said);
        response.shared.reset();
        response.content_type = "application/json";
    }
    const auto* signer = services.open_dsr->ready_signer();
    if (!signer) return make_signer(services);
    const std::string prefix(opendsr_prefix(head.path));
    const bool repeated = refusal || whom == Whom::anybody;
    const auto signature =
        repeated ? signer->sign_repeated(response.bytes()) : signer->sign(response.bytes());
    response.headers += prefix + "Processor-Domain: " + signer->domain() + "\r\n";
    response.headers += prefix + "Signature: " + signature + "\r\n";
}

}  // namespace

// The names that the protocol had before are to be honoured (its §10.1).
std::string_view opendsr_prefix(std::string_view path) {
    if (path.find("opengdpr_requests") != path.npos) return "X-OpenGDPR-";
    if (path.find("OpenCompliance_requests") != path.npos) return "X-OpenCompliance-";
    return "X-OpenDSR-";
}

void speak_opendsr(const Services& services, const Head& head, Response& response) {
    speak_to(Whom::key_holder, services, head, response);
}

void speak_opendsr_to_anybody(const Services& services, const Head& head, Response& response) {
    speak_to(Whom::anybody, services, head, response);
}

}  // namespace api
