#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json.h"
#include "api/parameters.h"
#include "api/pipe.h"
#include "api/principals.h"
#include "api/problem.h"

namespace api {
namespace {

cdp::Result<cdp::Principal> read_principal(std::string_view body) {
    const auto document = CDP_TRY(parse_json(body));
    if (!document.is_object()) return invalid("wrong_type", "An object is expected.", "");
    cdp::Principal out;
    const auto role = cdp::parse_role(CDP_TRY(string_member(document, "role", "")));
    if (!role) return invalid("role_unknown", "There is no such role.", "/role");
    out.role = *role;
    out.name = CDP_TRY(string_member(document, "name", ""));
    out.channel = CDP_TRY(string_member(document, "channel", ""));
    const auto trust = CDP_TRY(string_member(document, "trust", ""));
    if (!trust.empty() && trust != "client" && trust != "server")
        return invalid("trust_unknown", "Trust is client or server.", "/trust");
    if (trust == "server") out.trust = cdp::Trust::server;
    return out;
}

}  // namespace

void add_key(const Services& services, const Request& request, Answer answer) {
    auto principal = read_principal(request.body);
    if (!principal) return answer(problem(principal.error()));
    if (principal->role == cdp::Role::channel &&
        !services.platform.config().policy.find_channel(principal->channel))
        return answer(
            problem(400, "channel_unknown", "The configuration has no such channel.", "/channel"));

    services.aside(request, [&access = services.access, &clock = services.clock,
                             principal = std::move(*principal), answer = std::move(answer)] {
        const auto key = access.add(principal, clock.now());
        if (!key) return answer(problem(key.error()));
        Response response;
        response.status = 201;
        response.headers = kPrivate;
        response.body = R"({"key":)";
        append_json_string(response.body, *key);
        response.body += "}\n";
        answer(std::move(response));
    });
}

Response list_keys(const Services& services, const Request&) {
    Response response;
    response.body = render_principals(services.access.principals());
    return response;
}

void export_lines(const Services& services, const Request& request, Answer answer) {
    const auto kind = cdp::parse_export_kind(percent_decode(request.parameter));
    if (!kind) return answer(problem(404, "export_unknown", "There is no such export."));
    auto reader = reader_of(request);
    reader.route = "GET /v1/exports/" + percent_decode(request.parameter);
    services.aside(request, [&platform = services.platform, kind = *kind,
                             reader = std::move(reader), answer = std::move(answer)] {
        PipeWriter out;
        answer(lines_from(out.pipe()));
        const auto done = platform.export_lines(
            reader, kind, [&out](std::string_view line) { return out.write(line); });
        out.finish(static_cast<bool>(done));
    });
}

}  // namespace api
