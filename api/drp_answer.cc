#include "api/drp_answer.h"

#include "api/drp_request.h"
#include "api/proof_link.h"
#include "api/results_link.h"

namespace api {
namespace {

// Where the business has a page for that, else ours, which says where the link is sent that proves
// it.
std::string verification_url(const DrpAnswers& with, const cdp::PrivacyRequest& request) {
    const auto& url = with.agents.terms().verification_url;
    const auto path = awaited_proof_path(with.secrets, request);
    if (url.empty()) return path.empty() ? path : with.place.url(path);
    return url + (url.find('?') == url.npos ? "?" : "&") + "request_id=" + uuid_of(request.id);
}

}  // namespace

std::string drp_answer(const DrpAnswers& with, const cdp::PrivacyRequest& request) {
    const auto now = with.clock.now();
    const DrpUrls urls{.results = results_url(with.place, with.secrets, request, now),
                       .verification = verification_url(with, request)};
    return drp_status(request, urls, now);
}

}  // namespace api
