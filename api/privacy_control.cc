#include <algorithm>
#include <ctime>

#include "api/handlers.h"

namespace api {
namespace {

// Somebody who says no is heard where a purpose heeds it.
bool heeds_gpc(const consent::Policy& policy) {
    return std::ranges::any_of(policy.purposes, [](const consent::Purpose& purpose) {
        return std::ranges::find(purpose.signals, "gpc") != purpose.signals.end();
    });
}

}  // namespace

// Global Privacy Control's support resource. Without a file of configuration there is no day to
// name, and then it is not named.
Response global_privacy_control(const Services& services, const Request&) {
    Response response;
    response.headers = "Cache-Control: public, max-age=3600\r\n";
    auto& out = response.body;
    out = heeds_gpc(services.platform.config().policy) ? R"({"gpc":true)" : R"({"gpc":false)";
    if (!services.config_day.empty()) out += R"(,"lastUpdate":")" + services.config_day + '"';
    out += "}\n";
    return response;
}

}  // namespace api
