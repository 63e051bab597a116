#include "api/opendsr_routes.h"

#include <array>

#include "api/opendsr_dialect.h"
#include "api/protocol_handlers.h"
#include "api/results_link.h"

namespace api {
namespace {

constexpr Roles kControllers{cdp::Role::officer, cdp::Role::admin};
constexpr std::size_t kIabBytesMax = 64 * 1024;

struct Name {
    std::string_view all;
    std::string_view one;
};

// /v1/requests is not the protocol's: version 1 had the older names.
constexpr std::array<Name, 11> kRequests{{
    {"/v2/requests", "/v2/requests/{id}"},
    {"/requests", "/requests/{id}"},
    {"/v2/opendsr_requests", "/v2/opendsr_requests/{id}"},
    {"/v1/opendsr_requests", "/v1/opendsr_requests/{id}"},
    {"/opendsr_requests", "/opendsr_requests/{id}"},
    {"/v2/opengdpr_requests", "/v2/opengdpr_requests/{id}"},
    {"/v1/opengdpr_requests", "/v1/opengdpr_requests/{id}"},
    {"/opengdpr_requests", "/opengdpr_requests/{id}"},
    {"/v2/OpenCompliance_requests", "/v2/OpenCompliance_requests/{id}"},
    {"/v1/OpenCompliance_requests", "/v1/OpenCompliance_requests/{id}"},
    {"/OpenCompliance_requests", "/OpenCompliance_requests/{id}"},
}};

Route open_route(std::string_view path, Handler handler) {
    return {
        .path = path, .handler = handler, .any_parameter = true, .dress = speak_opendsr_to_anybody};
}

Route keyed_route(Method method, std::string_view path, Handler handler) {
    return {.method = method,
            .path = path,
            .door = Door::key,
            .roles = kControllers,
            .body_max = method == Method::post ? kDocumentBytesMax : 0,
            .handler = handler,
            .dress = speak_opendsr};
}

}  // namespace

void add_opendsr(std::vector<Route>& out) {
    for (const auto* path : {"/v2/discovery", "/v1/discovery", "/discovery"})
        out.push_back(open_route(path, {Work::brief_open, discover_opendsr}));
    out.push_back(open_route("/v2/certificate.pem", {Work::brief_open, opendsr_certificate}));
    out.push_back({.path = "/v2/results/{link}",
                   .handler = {Work::streamed_open, read_results},
                   .parameters = {"format"},
                   .dress = speak_opendsr_to_anybody});
    for (const auto& name : kRequests) {
        out.push_back(keyed_route(Method::post, name.all, {Work::brief, submit_opendsr}));
        out.push_back(keyed_route(Method::get, name.one, read_opendsr));
        out.push_back(keyed_route(Method::del, name.one, {Work::brief, cancel_opendsr}));
    }
}

void add_iab(std::vector<Route>& out) {
    out.push_back(
        {.path = "/.well-known/dsrdelete.json", .handler = {Work::brief_open, discover_iab}});
    out.push_back({.method = Method::post,
                   .path = "/v2/iab/deletions",
                   .body_max = kIabBytesMax,
                   .handler = {Work::brief_open, delete_for_iab}});
}

}  // namespace api
