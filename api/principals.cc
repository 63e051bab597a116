#include "api/principals.h"

#include "api/json.h"

namespace api {
namespace {

void append_principal(std::string& out, const cdp::Principal& principal) {
    out += R"({"role":)";
    append_json_string(out, to_string(principal.role));
    out += R"(,"name":)";
    append_json_string(out, principal.name);
    if (principal.role == cdp::Role::channel) {
        out += R"(,"channel":)";
        append_json_string(out, principal.channel);
    }
    if (principal.role == cdp::Role::source)
        out +=
            principal.trust == cdp::Trust::server ? R"(,"trust":"server")" : R"(,"trust":"client")";
    out += '}';
}

}  // namespace

std::string render_principals(const std::vector<cdp::Principal>& principals) {
    std::string out = R"({"principals":[)";
    for (const auto& principal : principals) {
        if (out.back() != '[') out += ',';
        append_principal(out, principal);
    }
    return out + "]}\n";
}

}  // namespace api
