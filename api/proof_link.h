#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/message.h"
#include "api/services.h"
#include "cdp/own_secrets.h"
#include "cdp/privacy_request.h"

// Links by which whoever receives one at an address shows that they have it.
namespace api {

// For so long a link opens; who reads the request again is given a newer one.
inline constexpr std::chrono::days kProofLinkLife{7};

// Sealed: it shows nothing and cannot be made up.
struct ProofLink {
    cdp::PrivacyRequestId request{};
    // Which of its identifiers it proves. None: it proves nothing, and says where the link is sent
    // that does. That is for those who ask in somebody's name: what they hand on shows nothing
    // about an address.
    std::optional<cdp::RequestedIdentifier> identifier = {};
    cdp::Timestamp until{};
};

// Paths of ours. Empty, and none: the request does not wait to be verified.
std::string awaited_proof_path(const cdp::OwnSecrets& secrets, const cdp::PrivacyRequest& request);
// One for each of its identifiers, in their order.
std::vector<std::string> proof_paths(const cdp::OwnSecrets& secrets,
                                     const cdp::PrivacyRequest& request, cdp::Timestamp now);
// nullopt: it was not given out here.
std::optional<ProofLink> open_proof_link(const cdp::OwnSecrets& secrets, std::string_view text);

// GET /privacy/verify/{link}: what was asked, in English or Korean. Changes nothing.
Response show_proof(const Services& services, const Request& request);
// POST: it was them. What can be done then is done before it is answered.
void prove_by_link(const Services& services, const Request& request, Answer answer);

}  // namespace api
