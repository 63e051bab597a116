#pragma once

#include <string>
#include <vector>

#include "api/preference_page.h"
#include "cdp/privacy_request.h"

// The pages of whoever is to show that they have what a privacy request names, made as those of the
// preference centre are. Pure.
namespace api {

struct AskedProof {
    cdp::PrivacyKind kind = cdp::PrivacyKind::access;
    std::string controller = {};           // empty: it is not said
    std::vector<std::string> masked = {};  // identifiers
};

// What was asked about one identifier, and a button that says it was them.
std::string proof_page(const AskedProof& asked, Language language);
// That a link comes to each of the identifiers, and proves it.
std::string awaited_proof_page(const AskedProof& asked, Language language);
enum class ProofEnd { proved, closed, link_unknown, link_expired };
std::string proof_end_page(ProofEnd end, Language language);

}  // namespace api
