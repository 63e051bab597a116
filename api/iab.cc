#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/iab_request.h"
#include "api/iab_signer.h"
#include "api/opendsr.h"
#include "api/opendsr_identities.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "api/protocol_handlers.h"
#include "cdp/own_secrets.h"
#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"
#include "consent/sha256.h"

namespace api {
namespace {

using nlohmann::ordered_json;

constexpr int kKeyLifeSeconds = 86'400;  // that others may keep it without looking again
constexpr const char* kEndpoint = "/v2/iab/deletions";

std::string key_id(std::string_view key) {
    return cdp::to_hex(consent::view(consent::sha256(key))).substr(0, 16);
}

// What is signed names no transaction and not which party is which: both sign the same text, each
// with its own domain. So a request is once what was signed of it but for that, whoever sends it in
// whose part how often.
cdp::NewPrivacyRequest request_of(const Services& services, const IabRequest& asked) {
    cdp::NewPrivacyRequest out;
    out.kind = cdp::PrivacyKind::erasure;
    out.protocol = cdp::PrivacyProtocol::iab;
    const auto digest = iab_digest(asked, "");
    out.external_id =
        asked.request_id + " " + services.platform.privacy().secrets.hash("iab request", digest);
    out.verified_by = "first_party";
    return out;
}

std::string sender_of(std::string_view domain) {
    return "iab:" + std::string(domain);
}

bool was_taken(const Services& services, const cdp::NewPrivacyRequest& request) {
    const auto& requests = services.platform.privacy().requests;
    return std::ranges::any_of(services.iab->parties, [&](const IabParty& party) {
        return static_cast<bool>(
            requests.find(request.protocol, sender_of(party.domain), request.external_id));
    });
}

cdp::Result<void> take(const Services& services, const IabRequest& asked) {
    const auto identity = CDP_TRY(iab_identity(asked, *services.iab));
    CDP_CHECK(verify_iab_request(asked, *services.iab, services.clock.now()));
    const auto& privacy = services.platform.privacy();
    auto request = request_of(services, asked);
    // Whose hash it was may have changed since it was taken.
    if (was_taken(services, request)) return cdp::Result<void>::ok();
    request.identifiers = CDP_TRY(identifiers_of({identity}, privacy.hashes));
    const auto taken = privacy.requests.submit(sender_of(asked.origin.domain), request);
    if (!taken && taken.error().reason != "request_id_reused") return taken.error();
    return cdp::Result<void>::ok();
}

std::string text_of(const ordered_json& document) {
    return document.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::int64_t seconds_now(const Services& services) {
    return cdp::milliseconds_of(services.clock.now()) / 1000;
}

// Not signed: nobody known has asked for it. What it answers is said as far as that can be told.
Response refused(const Services& services, const cdp::Error& error, const IabIds& ids) {
    auto response = problem(error);
    auto said = ordered_json::parse(response.body);
    if (!ids.request_id.empty()) said["fpRequestId"] = ids.request_id;
    if (!ids.transaction_id.empty()) said["rqTransactionId"] = ids.transaction_id;
    said["raTimestamp"] = seconds_now(services);
    said["raResultCode"] = response.status;
    response.body = text_of(said);
    return response;
}

// The draft puts every outcome into the acknowledgement. Signed for whoever signed before, and for
// nobody else.
Response acknowledged(const Services& services, const IabRequest& asked,
                      const cdp::Result<void>& outcome) {
    const auto signer = services.open_dsr->iab_signer();
    if (!signer) return problem(signer.error());
    const int code = outcome ? kIabAccepted : to_status(outcome.error().code);
    const auto seconds = seconds_now(services);
    ordered_json out{{"status", code},
                     {"message", outcome ? "accepted" : outcome.error().reason},
                     {"version", asked.version},
                     {"fpRequestId", asked.request_id},
                     {"rqTransactionId", asked.transaction_id},
                     {"fpTimestamp", asked.timestamp},
                     {"raTimestamp", seconds},
                     {"raResultCode", code}};
    out["raSignature"] =
        (*signer)->sign(asked.requester.signature + std::to_string(seconds) + std::to_string(code));
    if (!outcome && !outcome.error().pointer.empty()) out["pointer"] = outcome.error().pointer;
    Response response;
    response.status = outcome ? 200 : code;
    if (!outcome && (code == 429 || code == 503)) response.headers += "Retry-After: 1\r\n";
    response.headers += kPrivate;
    response.body = text_of(out);
    return response;
}

Response discovery(const Services& services, const IabSigner& signer) {
    const auto& key = signer.public_key();
    auto identifiers = ordered_json::array();
    for (const auto& [type, ours] : services.iab->identifier_types)
        for (const auto* format : {"raw", "sha1", "md5", "sha256"})
            identifiers.push_back({{"identifierType", type}, {"identifierFormat", format}});
    Response response;
    response.headers = "Cache-Control: public, max-age=3600\r\n";
    response.body = text_of({{"endpoint", services.open_dsr->url(kEndpoint)},
                             {"identifiers", identifiers},
                             {"keys", ordered_json::array({{{"kid", key_id(key)},
                                                            {"kty", "OKP"},
                                                            {"crv", "Ed25519"},
                                                            {"use", "sig"},
                                                            {"x", to_base64url(key)},
                                                            {"ttl", kKeyLifeSeconds}}})},
                             {"vendorScriptRequirement", false}});
    return response;
}

}  // namespace

void discover_iab(const Services& services, const Request& request, Answer answer) {
    if (const auto* ready = services.open_dsr->ready_iab_signer())
        return answer(discovery(services, *ready));
    services.aside(request, [&services, answer = std::move(answer)] {
        const auto signer = services.open_dsr->iab_signer();
        answer(signer ? discovery(services, **signer) : problem(signer.error()));
    });
}

void delete_for_iab(const Services& services, const Request& request, Answer answer) {
    services.aside(
        request, [&services, body = std::string(request.body), answer = std::move(answer)] {
            const auto asked = read_iab_request(body);
            if (!asked) return answer(refused(services, asked.error(), iab_ids_in(body)));
            const auto known = verify_iab_requester(*asked, *services.iab);
            if (!known)
                return answer(
                    refused(services, known.error(), {asked->request_id, asked->transaction_id}));
            answer(acknowledged(services, *asked, take(services, *asked)));
        });
}

}  // namespace api
