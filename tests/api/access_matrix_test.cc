#include <sys/socket.h>

#include <map>
#include <sstream>

#include "api/listener.h"
#include "api/routes.h"
#include "tests/api/route_target.h"
#include "tests/api/world.h"
#include "tests/storage/folder.h"

using tests::World;

namespace {

// Every route and who gets in: `key` in the Authorization header, `write_key` where SDKs put it,
// `open` to anybody, with what nobody in particular is then answered. A `server_source` is a source
// whose key is no public one; the route lets any source in and refuses the others itself.
constexpr std::string_view kWritten = R"(
POST /v1/identify                               write_key: source admin
POST /v1/i                                      write_key: source admin
POST /api/s/identify                            write_key: source admin
POST /api/s/s2s/identify                        write_key: source admin
POST /v1/track                                  write_key: source admin
POST /v1/t                                      write_key: source admin
POST /api/s/track                               write_key: source admin
POST /api/s/s2s/track                           write_key: source admin
POST /v1/page                                   write_key: source admin
POST /v1/p                                      write_key: source admin
POST /api/s/page                                write_key: source admin
POST /api/s/s2s/page                            write_key: source admin
POST /v1/screen                                 write_key: source admin
POST /v1/s                                      write_key: source admin
POST /api/s/screen                              write_key: source admin
POST /api/s/s2s/screen                          write_key: source admin
POST /v1/group                                  write_key: source admin
POST /v1/g                                      write_key: source admin
POST /api/s/group                               write_key: source admin
POST /api/s/s2s/group                           write_key: source admin
POST /v1/alias                                  write_key: source admin
POST /v1/a                                      write_key: source admin
POST /api/s/alias                               write_key: source admin
POST /api/s/s2s/alias                           write_key: source admin
POST /v1/batch                                  write_key: source admin
POST /v1/b                                      write_key: source admin
POST /v1/import                                 write_key: source admin
POST /beacon/v1/batch                           write_key: source admin
POST /v1/m                                      open 200
GET /v1/projects/{key}/settings                 open 404
GET /sourceConfig                               open 404
GET /rsaMetrics                                 open 200
POST /rsaMetrics                                open 200
GET /rsaRequest                                 open 200
POST /rsaRequest                                open 200
POST /v1/consents                               key: server_source officer admin
GET /v1/profiles/{identifier}/consents          key: officer admin
GET /v1/audit/disclosures                       key: officer admin
GET /v1/audit/consent                           key: officer admin
GET /v1/audit/records/{id}                      key: officer admin
GET /v1/audit/decisions/{id}                    key: officer admin
GET /v1/audit/notices/{id}/grants               key: officer admin
GET /v1/audit/merges                            key: officer admin
GET /v1/audit/gpc                               key: officer admin
GET /v1/audit/withdrawals                       key: officer admin
GET /v1/audit/night                             key: officer admin
GET /v1/audit/purpose-limitation                key: officer admin
GET /v1/audit/minors                            key: officer admin
GET /v1/audit/unmapped                          key: officer admin
GET /v1/audit/signals                           key: officer admin
GET /v1/audit/conflicts                         key: officer admin
GET /v1/audit/rights-requests                   key: officer admin
GET /v1/audit/processing                        key: officer admin
GET /v1/audit/records                           key: officer admin
GET /v1/audit/access                            key: officer admin
GET /v1/audit/erasures                          key: officer admin
GET /v1/audit/withheld                          key: officer admin
GET /v1/audit/recipients                        key: officer admin
GET /v1/audit/unused                            key: officer admin
GET /v1/withdrawals                             key: channel officer admin
POST /v1/withdrawals/acknowledgements           key: channel
POST /v1/decisions                              key: server_source channel officer admin
POST /v1/notices                                key: officer admin
GET /v1/notices/{id}                            key: source officer steward admin
GET /v1/audit/quarantines                       key: officer admin
POST /v1/audit/quarantines/{assertion}/release  key: officer admin
GET /v1/profiles/{identifier}                   key: channel
GET /v1/profiles/{identifier}/events            key: channel
GET /v1/profiles/{identifier}/google-consent    key: channel
POST /v1/profiles/lookup                        key: channel
GET /v1/profiles/{identifier}/groups            key: officer steward admin
GET /v1/profiles/{identifier}/identity          key: officer steward admin
GET /v1/identity/explain                        key: officer steward admin
GET /v1/groups/{group_id}                       key: officer steward admin
GET /v1/identity/changes                        key: channel officer steward admin
POST /v1/identity/simulate                      key: steward admin
POST /v1/identity/assertions                    key: steward admin
GET /v1/identity/assertions                     key: officer steward admin
GET /v1/identity/assertions/{id}                key: officer steward admin
POST /v1/identity/assertions/{id}/revoke        key: steward admin
POST /v1/keys                                   key: admin
GET /v1/keys                                    key: admin
POST /v1/keys/epochs                            key: admin
GET /v1/keys/epochs                             key: admin
POST /v1/keys/escrows                           key: admin
GET /v1/clock                                   key: admin
POST /v1/clock/accept                           key: admin
POST /v1/backups                                key: admin
GET /v1/verify                                  key: admin
GET /v1/exports/{kind}                          key: officer admin
GET /ledger/checkpoint                          open 503
GET /ledger/tile/{tile*}                        open 400
GET /v1/ledger/check                            key: officer admin
GET /v1/ledger/keys                             key: officer admin
POST /v1/ledger/keys                            key: admin
GET /v1/ledger/proofs/{index}                   key: officer admin
GET /v1/receipts/{record}                       key: source officer admin
POST /v1/preferences/links                      key: server_source channel officer admin
GET /preferences/{link}                         open 404
POST /preferences/{link}                        open 400
POST /v1/privacy/erasures                       key: officer admin
GET /v1/privacy/erasures                        key: officer admin
GET /v1/privacy/erasures/{id}                   key: officer admin
GET /v1/privacy/erasures/{id}/certificate       key: officer admin
POST /v1/privacy/rectifications                 key: officer admin
GET /v1/privacy/rectifications                  key: officer admin
GET /v1/privacy/rectifications/{id}             key: officer admin
GET /v1/privacy/reports/{identifier}            key: officer admin
POST /v1/privacy/requests                       key: officer admin
GET /v1/privacy/requests                        key: officer admin
GET /v1/privacy/requests/{id}                   key: officer admin
POST /v1/privacy/requests/{id}/steps            key: officer admin
GET /v1/privacy/requests/{id}/results           key: officer admin
GET /privacy/results/{link}                     open 404
GET /privacy/verify/{link}                      open 404
POST /privacy/verify/{link}                     open 404
POST /v1/privacy/suppressions                   key: officer admin
GET /v1/privacy/suppressions                    key: officer admin
POST /v1/privacy/suppressions/{id}/revoke       key: officer admin
GET /v2/discovery                               open 200
GET /v1/discovery                               open 200
GET /discovery                                  open 200
GET /v2/certificate.pem                         open 200
GET /v2/results/{link}                          open 404
POST /v2/requests                               key: officer admin
GET /v2/requests/{id}                           key: officer admin
DELETE /v2/requests/{id}                        key: officer admin
POST /requests                                  key: officer admin
GET /requests/{id}                              key: officer admin
DELETE /requests/{id}                           key: officer admin
POST /v2/opendsr_requests                       key: officer admin
GET /v2/opendsr_requests/{id}                   key: officer admin
DELETE /v2/opendsr_requests/{id}                key: officer admin
POST /v1/opendsr_requests                       key: officer admin
GET /v1/opendsr_requests/{id}                   key: officer admin
DELETE /v1/opendsr_requests/{id}                key: officer admin
POST /opendsr_requests                          key: officer admin
GET /opendsr_requests/{id}                      key: officer admin
DELETE /opendsr_requests/{id}                   key: officer admin
POST /v2/opengdpr_requests                      key: officer admin
GET /v2/opengdpr_requests/{id}                  key: officer admin
DELETE /v2/opengdpr_requests/{id}               key: officer admin
POST /v1/opengdpr_requests                      key: officer admin
GET /v1/opengdpr_requests/{id}                  key: officer admin
DELETE /v1/opengdpr_requests/{id}               key: officer admin
POST /opengdpr_requests                         key: officer admin
GET /opengdpr_requests/{id}                     key: officer admin
DELETE /opengdpr_requests/{id}                  key: officer admin
POST /v2/OpenCompliance_requests                key: officer admin
GET /v2/OpenCompliance_requests/{id}            key: officer admin
DELETE /v2/OpenCompliance_requests/{id}         key: officer admin
POST /v1/OpenCompliance_requests                key: officer admin
GET /v1/OpenCompliance_requests/{id}            key: officer admin
DELETE /v1/OpenCompliance_requests/{id}         key: officer admin
POST /OpenCompliance_requests                   key: officer admin
GET /OpenCompliance_requests/{id}               key: officer admin
DELETE /OpenCompliance_requests/{id}            key: officer admin
GET /.well-known/dsrdelete.json                 open 200
POST /v2/iab/deletions                          open 400
GET /v1/privacy/retention                       key: officer admin
POST /v1/privacy/retention/runs                 key: officer admin
POST /v1/data-rights-request                    open 404
GET /v1/data-rights-request/{id}                open 404
DELETE /v1/data-rights-request/{id}             open 404
POST /v1/agent/{id}                             open 403
GET /v1/agent/{id}                              open 404
POST /v1/privacy/agents                         key: admin
GET /v1/privacy/agents                          key: admin
DELETE /v1/privacy/agents/{id}                  key: admin
GET /.well-known/gpc.json                       open 200
GET /healthz                                    open 200
GET /readyz                                     open 200
GET /metrics                                    open 200
)";

// What a route that refuses some callers itself must be sent before it does.
const std::map<std::string, std::string> kBodies{
    {"POST /v1/consents",
     R"({"consents":[{"identifiers":[{"type":"email","value":"a@shop.example"}],"purpose":"analytics","state":"granted"}]})"},
    {"POST /v1/decisions",
     R"({"identifiers":[{"type":"email","value":"a@shop.example"}],"purpose":"analytics"})"},
    {"POST /v1/preferences/links",
     R"({"identifier":{"type":"email","value":"a@shop.example"},"purpose":"email_marketing"})"},
};

struct Row {
    std::string door;  // "open 200", "key:"
    std::string roles;
};

std::map<std::string, Row> written() {
    std::map<std::string, Row> out;
    std::istringstream lines{std::string(kWritten)};
    std::string line;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string method, path, word;
        if (!(words >> method >> path)) continue;
        Row row;
        words >> row.door;
        while (words >> word) row.roles += (row.roles.empty() ? "" : " ") + word;
        out[method + " " + path] = row;
    }
    return out;
}

std::string name_of(const api::Route& route) {
    return std::string(to_string(route.method)) + " " + std::string(route.path);
}

// As the router has it, in the words of the table.
Row declared(const api::Route& route, const Row& expected) {
    Row out;
    switch (route.door) {
        case api::Door::open: return {"open", expected.roles};
        case api::Door::key: out.door = "key:"; break;
        case api::Door::write_key: out.door = "write_key:"; break;
    }
    for (const auto role : {cdp::Role::source, cdp::Role::channel, cdp::Role::officer,
                            cdp::Role::steward, cdp::Role::admin})
        if (route.roles.has(role))
            out.roles +=
                (out.roles.empty() ? "" : " ") +
                std::string(role == cdp::Role::source && route.server_sources ? "server_" : "") +
                std::string(to_string(role));
    return out;
}

bool has_word(const std::string& words, const std::string& word) {
    return (" " + words + " ").find(" " + word + " ") != std::string::npos;
}

// The status of one request at the admin socket, which takes no key.
int status_here(const std::string& folder, const std::string& request) {
    const int descriptor = api::connect_admin(folder);
    REQUIRE(descriptor >= 0);
    REQUIRE(::send(descriptor, request.data(), request.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(request.size()));
    char line[12] = {};
    REQUIRE(::recv(descriptor, line, sizeof line, MSG_WAITALL) == sizeof line);
    ::close(descriptor);
    return std::stoi(std::string(line + 9, 3));
}

bool let_in(int status) {
    // 503: what is served here is no data folder.
    return status == 200 || status == 201 || status == 202 || status == 400 || status == 404 ||
           status == 503;
}

}  // namespace

TEST_CASE("every route has its line in the matrix of access, and says the same") {
    const api::Routes routes(/*metrics_open=*/true);
    auto lines = written();
    for (const auto& route : routes.all()) {
        CAPTURE(name_of(route));
        REQUIRE(lines.contains(name_of(route)));
        const auto expected = lines.extract(name_of(route)).mapped();
        const auto found = declared(route, expected);
        CHECK(found.door == expected.door);
        CHECK(found.roles == expected.roles);
    }
    for (const auto& [name, row] : lines) FAIL_CHECK("no such route: " << name);
}

TEST_CASE("every cell of the matrix of access holds over the wire") {
    const tests::Folder folder;
    api::ServerOptions options{.admin_socket_folder = folder.path()};
    options.edge.wrong_keys = {};  // many are tried here
    // Making the key of discovery takes longer than tests wait for answers.
    World world(api::Limits{}, options);
    const api::Routes routes(/*metrics_open=*/true);
    const auto lines = written();
    int cells = 0;
    for (const auto& route : routes.all()) {
        const auto name = name_of(route);
        const auto& row = lines.at(name);
        const auto method = std::string(to_string(route.method));
        const auto known = kBodies.find(name);
        const std::string body = known != kBodies.end()              ? known->second
                                 : route.method == api::Method::post ? "{}"
                                                                     : "";
        const auto status = [&](const std::string& headers) {
            ++cells;
            return world.ask(method, tests::target_of(route), headers, body).status;
        };
        std::map<std::string, std::string> keys;
        for (const auto& [role, key] : world.keys) keys[std::string(to_string(role))] = key;
        keys["server_source"] = world.till;
        CAPTURE(name);

        const auto length =
            body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n";
        ++cells;
        const auto here =
            status_here(folder.path(), method + " " + tests::target_of(route) +
                                           " HTTP/1.1\r\nHost: a\r\n" + length + "\r\n" + body);
        if (row.door == "open") {
            CHECK(status("") == std::stoi(row.roles));
            CHECK(here == std::stoi(row.roles));
            if (route.path == "/sourceConfig") continue;  // whose settings, the key says
            for (const auto& [who, key] : keys)
                CHECK(status(World::bearer(key)) == std::stoi(row.roles));
            continue;
        }
        CHECK(status("") == 401);
        CHECK(status("Authorization: Digest x\r\n") == 401);
        CHECK(status(World::bearer("c000000000000000000000000")) == 401);
        CHECK(status(World::bearer(keys["admin"] + "0")) == 401);
        const auto at_write_key = status("X-Write-Key: " + keys["admin"] + "\r\n");
        CHECK((row.door == "key:" ? at_write_key == 401 : let_in(at_write_key)));
        for (const auto& [who, key] : keys) {
            CAPTURE(who);
            const bool may = has_word(row.roles, who) ||
                             (who == "server_source" && has_word(row.roles, "source"));
            const auto answered = status(World::bearer(key));
            CHECK((may ? let_in(answered) : answered == 403));
        }
        CHECK((has_word(row.roles, "admin") ? let_in(here) : here == 403));
    }
    CHECK(cells > 1500);
}
