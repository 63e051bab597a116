#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "api/command_line.h"
#include "api/config.h"
#include "api/config_protocols.h"
#include "api/http_head.h"
#include "api/json.h"
#include "api/principals.h"
#include "api/reach.h"
#include "api/tls.h"
#include "cdp/base/clock.h"
#include "cdp/interrupted.h"
#include "cdp/texts.h"

namespace api {
namespace {

// False when nobody reads any more.
bool print(std::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
}

std::string key_request(const cdp::Principal& principal) {
    nlohmann::json document{{"role", to_string(principal.role)}, {"name", principal.name}};
    if (!principal.channel.empty()) document["channel"] = principal.channel;
    if (principal.role == cdp::Role::source)
        document["trust"] = principal.trust == cdp::Trust::server ? "server" : "client";
    return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

cdp::Result<std::string> new_key(Reached& reached, const cdp::Principal& principal) {
    if (auto* folder = std::get_if<OpenFolder>(&reached))
        return folder->access->add(principal, cdp::SystemClock().now());
    const AdminRequest request{
        .method = "POST", .target = "/v1/keys", .body = key_request(principal)};
    const auto answer = CDP_TRY(std::get<AdminClient>(reached).ask_whole(request));
    const auto document = CDP_TRY(parse_json(answer));
    return string_member(document, "key", "");
}

cdp::Result<std::string> principals(Reached& reached) {
    if (auto* folder = std::get_if<OpenFolder>(&reached))
        return render_principals(folder->access->principals());
    return std::get<AdminClient>(reached).ask_whole({.target = "/v1/keys"});
}

void print_table(const nlohmann::json& rows) {
    std::printf("%-8s  %-32s  %-6s  %s\n", "ROLE", "NAME", "TRUST", "CHANNEL");
    for (const auto& row : rows)
        std::printf("%-8s  %-32s  %-6s  %s\n", row.value("role", "").c_str(),
                    row.value("name", "").c_str(), row.value("trust", "").c_str(),
                    row.value("channel", "").c_str());
}

cdp::Result<void> export_from(Reached& reached, const std::string& kind,
                              const std::string& reason) {
    if (auto* server = std::get_if<AdminClient>(&reached))
        return server->ask({.target = "/v1/exports/" + kind + "?reason=" + percent_encode(reason)},
                           print);
    auto& folder = std::get<OpenFolder>(reached);
    const cdp::SystemClock clock;
    cdp::Platform platform(*folder.store, *folder.vault, clock, cdp::Config{},
                           CDP_TRY(folder.journal()));
    CDP_CHECK(cdp::finish_interrupted(platform));
    return platform.export_lines({.who = {},
                                  .uid = static_cast<std::int64_t>(::getuid()),
                                  .route = "GET /v1/exports/" + kind,
                                  .reason = reason},
                                 *cdp::parse_export_kind(kind), print);
}

}  // namespace

int finish_output() {
    if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return kDone;
    if (errno == EPIPE) return kDone;
    std::perror("cdp: stdout");
    return kFailed;
}

int fail(const cdp::Error& error) {
    const auto* gap = error.detail.empty() ? "" : " ";
    std::fprintf(stderr, "cdp: %s%s%s\n", error.message.c_str(), gap, error.detail.c_str());
    if (error.code == cdp::ErrorCode::corruption) return kStoreBroken;
    // A call that names a wrong file is a right one.
    if (error.reason == "config_wrong" || error.reason.starts_with("tls_")) return kFailed;
    return error.code == cdp::ErrorCode::invalid_argument ? kUsedWrongly : kFailed;
}

int init(const std::string& data, const std::string& keyring, const std::string& ledger_origin) {
    const auto made = storage::create_data_dir(
        {.path = data, .keyring_path = keyring, .ledger_origin = ledger_origin});
    if (!made) return fail(made.error());
    auto folder = open_folder(data);
    if (!folder) return fail(folder.error());
    const cdp::Principal admin{.role = cdp::Role::admin, .name = "admin", .channel = {}};
    const auto key = folder->access->add(admin, cdp::SystemClock().now());
    if (!key) return fail(key.error());
    std::fprintf(stderr, "cdp: this key administers %s; it is shown once\n", data.c_str());
    print(*key + "\n");
    return finish_output();
}

int add_key(const std::string& data, const cdp::Principal& principal) {
    auto reached = reach(data);
    if (!reached) return fail(reached.error());
    const auto key = new_key(*reached, principal);
    if (!key) return fail(key.error());
    print(*key + "\n");
    return finish_output();
}

int list_keys(const std::string& data, bool json) {
    auto reached = reach(data);
    if (!reached) return fail(reached.error());
    const auto text = principals(*reached);
    if (!text) return fail(text.error());
    if (json) {
        print(*text);
        return finish_output();
    }
    const auto document = parse_json(*text);
    if (!document) return fail(document.error());
    print_table((*document)["principals"]);
    return finish_output();
}

int export_lines(const std::string& data, const std::string& kind, const std::string& reason) {
    if (const auto told = cdp::check_reason(reason); !told) return fail(told.error());
    auto reached = reach(data);
    if (!reached) return fail(reached.error());
    const auto done = export_from(*reached, kind, reason);
    if (!done) return fail(done.error());
    return finish_output();
}

int check_config(const std::string& file) {
    const auto config = read_config(file);
    if (!config) return fail(config.error());
    const auto now = cdp::SystemClock().now();
    if (const auto checked = check_protocol_files(*config, file, now); !checked)
        return fail(checked.error());
    const auto& tls = config->edge.tls;
    if (!tls.given()) return kDone;
    const auto pair = read_tls_pair(tls, now);
    return pair ? int{kDone} : fail(pair.error());
}

}  // namespace api
