#include "api/handlers.h"
#include "api/problem.h"
#include "consent/ledger.h"
#include "storage/space_watch.h"
#include "storage/trusted_time.h"

namespace api {

Response healthz(const Services&, const Request&) {
    Response response;
    response.body = "{\"status\":\"ok\"}\n";
    return response;
}

Response readyz(const Services& services, const Request&) {
    if (services.draining && services.draining->load(std::memory_order_relaxed))
        return problem(503, "draining", "The server is stopping.");
    switch (services.platform.health()) {
        case storage::Health::ok: break;
        case storage::Health::read_only:
            return problem(503, "store_read_only", "The store takes no writes.");
        case storage::Health::failed:
            return problem(503, "store_failed", "The store does not work.");
    }
    if (!services.platform.ledger().accepts_grants())
        return problem(503, "ledger_halted", "The ledger is not sound: grants wait.");
    if (services.files && services.files->space().low())
        return problem(503, "disk_low", "The disk is nearly full: no events are taken.");
    Response response;
    auto* time = services.files ? services.files->time() : nullptr;
    const bool odd = time && !time->standing().believed;
    response.body =
        odd ? "{\"status\":\"ready\",\"clock\":\"not_believed\"}\n" : "{\"status\":\"ready\"}\n";
    return response;
}

Response metrics(const Services& services, const Request&) {
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = services.render_metrics();
    return response;
}

}  // namespace api
