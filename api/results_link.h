#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/message.h"
#include "api/opendsr.h"
#include "api/services.h"
#include "cdp/own_secrets.h"
#include "cdp/privacy_request.h"

// Where the results of an access or portability request are fetched, by whoever was given the link.
namespace api {

struct ResultsLink {
    cdp::PrivacyRequestId request{};
    cdp::Timestamp until{};
};

// A path of ours: one for each request, and the same whenever it is asked for. Nobody can make it
// up, and it says nothing of whom it is about. Empty: the request has no results, or they are not
// given any more.
std::string results_path(const cdp::OwnSecrets& secrets, const cdp::PrivacyRequest& request,
                         cdp::Timestamp now);
// The same where a protocol is told it.
std::string results_url(const OpenDsr& dsr, const cdp::OwnSecrets& secrets,
                        const cdp::PrivacyRequest& request, cdp::Timestamp now);
// nullopt: it was not given out here.
std::optional<ResultsLink> open_results_link(const cdp::OwnSecrets& secrets, std::string_view text);

// GET /privacy/results/{link}, for OpenDSR /v2/results/{link}: a report that is written as it is
// fetched, of the persons and identifiers that were found when the request was done. Of whom all
// was erased since it is as if its time had run out.
void read_results(const Services& services, const Request& request, Answer answer);
// GET /v1/privacy/requests/{id}/results, at any time.
void read_results_of(const Services& services, const Request& request, Answer answer);

}  // namespace api
