#include "api/proof_link.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "api/pages.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "api/proof_page.h"
#include "cdp/base/bytes.h"
#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"

namespace api {
namespace {

constexpr std::string_view kName = "proof link";
constexpr std::uint8_t kFormat = 1;

bool waits(const cdp::PrivacyRequest& request) {
    return request.state == cdp::PrivacyState::waiting_for_verification;
}

std::string path_of(const cdp::OwnSecrets& secrets, const ProofLink& link) {
    cdp::ByteWriter out;
    out.u8(kFormat).raw(link.request.view()).i64(cdp::milliseconds_of(link.until));
    out.u8(link.identifier ? 1 : 0);
    if (link.identifier) out.bytes(link.identifier->type).bytes(link.identifier->value);
    return "/privacy/verify/" + secrets.seal(kName, out.str());
}

cdp::Timestamp end_of_link(const cdp::PrivacyRequest& request, cdp::Timestamp now) {
    return std::min(request.due(), now + kProofLinkLife);
}

Response ended(ProofEnd end, Language language) {
    const auto status_of = [](ProofEnd one) {
        switch (one) {
            case ProofEnd::proved:
            case ProofEnd::closed: return 200;
            case ProofEnd::link_unknown: return 404;
            case ProofEnd::link_expired: return 410;
        }
        return 404;
    };
    return html_page(status_of(end), proof_end_page(end, language), language);
}

bool names(const cdp::PrivacyRequest& request, const cdp::RequestedIdentifier& identifier) {
    return std::ranges::any_of(request.identifiers, [&](const auto& one) {
        return one.type == identifier.type && one.value == identifier.value;
    });
}

// What a link opens, or the page that it leads to instead.
struct Opened {
    ProofLink link;
    cdp::PrivacyRequest request;
};
std::variant<Opened, Response> opened(const Services& services, std::string_view text,
                                      Language language) {
    const auto& privacy = services.platform.privacy();
    const auto link = open_proof_link(privacy.secrets, text);
    if (!link) return ended(ProofEnd::link_unknown, language);
    if (link->until <= services.clock.now()) return ended(ProofEnd::link_expired, language);
    auto request = privacy.requests.read(link->request);
    if (!request) return problem(request.error());
    if (!waits(*request)) return ended(ProofEnd::closed, language);
    // Whoever was erased since is not asked.
    if (request->identifiers.empty() || (link->identifier && !names(*request, *link->identifier)))
        return ended(ProofEnd::closed, language);
    return Opened{*link, *std::move(request)};
}

AskedProof asked_of(const Services& services, const Opened& opened) {
    AskedProof out{.kind = opened.request.kind,
                   .controller = services.platform.config().controller.name};
    const auto add = [&](const cdp::RequestedIdentifier& one) {
        out.masked.push_back(masked(one.type, one.value));
    };
    if (opened.link.identifier)
        add(*opened.link.identifier);
    else
        std::ranges::for_each(opened.request.identifiers, add);
    return out;
}

Response proved(const Services& services, const std::string& link, Language language) {
    auto found = opened(services, link, language);
    if (auto* instead = std::get_if<Response>(&found)) return std::move(*instead);
    const auto& [held, request] = std::get<Opened>(found);
    if (!held.identifier)
        return html_page(409,
                         awaited_proof_page(asked_of(services, std::get<Opened>(found)), language),
                         language);
    auto& requests = services.platform.privacy().requests;
    const auto done = requests.prove(request.id, *held.identifier);
    // Somebody was faster.
    if (!done && (done.error().reason == "step_not_possible" ||
                  done.error().code == cdp::ErrorCode::not_found))
        return ended(ProofEnd::closed, language);
    if (!done) return problem(done.error());
    if (const auto advanced = requests.advance(request.id); !advanced)
        return problem(advanced.error());
    return ended(ProofEnd::proved, language);
}

}  // namespace

std::string awaited_proof_path(const cdp::OwnSecrets& secrets, const cdp::PrivacyRequest& request) {
    if (!waits(request)) return "";
    return path_of(secrets, {.request = request.id, .identifier = {}, .until = request.due()});
}

std::vector<std::string> proof_paths(const cdp::OwnSecrets& secrets,
                                     const cdp::PrivacyRequest& request, cdp::Timestamp now) {
    std::vector<std::string> out;
    if (!waits(request)) return out;
    for (const auto& identifier : request.identifiers)
        out.push_back(path_of(
            secrets,
            {.request = request.id, .identifier = identifier, .until = end_of_link(request, now)}));
    return out;
}

std::optional<ProofLink> open_proof_link(const cdp::OwnSecrets& secrets, std::string_view text) {
    const auto plain = secrets.open(kName, text);
    if (!plain) return std::nullopt;
    cdp::ByteReader in(*plain);
    const auto format = in.u8();
    ProofLink out;
    out.request = in.id<cdp::PrivacyRequestId>();
    out.until = cdp::timestamp_of(in.i64());
    if (in.u8() == 1) {
        cdp::RequestedIdentifier identifier;
        identifier.type = in.bytes();
        identifier.value = in.bytes();
        out.identifier = std::move(identifier);
    }
    if (format != kFormat || !in.done()) return std::nullopt;
    return out;
}

Response show_proof(const Services& services, const Request& request) {
    const auto language = language_of(request);
    auto found = opened(services, percent_decode(request.parameter), language);
    if (auto* instead = std::get_if<Response>(&found)) return std::move(*instead);
    const auto& one = std::get<Opened>(found);
    const auto asked = asked_of(services, one);
    return html_page(
        200,
        one.link.identifier ? proof_page(asked, language) : awaited_proof_page(asked, language),
        language);
}

void prove_by_link(const Services& services, const Request& request, Answer answer) {
    services.aside(request, [&services, link = percent_decode(request.parameter),
                             language = language_of(request), answer = std::move(answer)] {
        answer(proved(services, link, language));
    });
}

}  // namespace api
