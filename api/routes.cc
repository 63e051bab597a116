#include "api/routes.h"

#include <algorithm>

#include "api/audit.h"
#include "api/drp_dialect.h"
#include "api/handlers.h"
#include "api/opendsr_routes.h"
#include "api/proof_link.h"
#include "api/protocol_handlers.h"
#include "api/rectifications.h"
#include "api/results_link.h"

namespace api {
namespace {

using cdp::EventType;
using cdp::Role;

constexpr Roles kReaders{Role::channel};
constexpr Roles kOfficers{Role::officer, Role::admin};
// Those who run the platform: what they read has passed no gate.
constexpr Roles kOperators{Role::officer, Role::steward, Role::admin};
constexpr Roles kChangeReaders{Role::channel, Role::officer, Role::steward, Role::admin};
constexpr Roles kFeedReaders{Role::channel, Role::officer, Role::admin};
constexpr Roles kStewards{Role::steward, Role::admin};
constexpr Roles kAdmins{Role::admin};
constexpr Roles kConsentWriters{Role::source, Role::officer, Role::admin};
constexpr Roles kLinkMakers{Role::source, Role::channel, Role::officer, Role::admin};
constexpr Roles kDecisionReaders{Role::channel, Role::source, Role::officer, Role::admin};
constexpr Roles kNoticeReaders{Role::source, Role::officer, Role::steward, Role::admin};

constexpr std::size_t kFormBytesMax = 16 * 1024;
constexpr std::size_t kDrpBytesMax = 64 * 1024;

Route ingest_route(std::string_view path, std::optional<EventType> type) {
    return {.method = Method::post,
            .path = path,
            .door = Door::write_key,
            .roles = {Role::source, Role::admin},
            .cors = Cors::any_origin,
            .body_max = cdp::kBodyBytesMax,
            // SDKs send a 413 again, a 400 never.
            .too_large_status = 400,
            .handler = {Work::at_once, ingest},
            .any_parameter = true,
            .event_type = type};
}

void add_ingest(std::vector<Route>& out) {
    struct Call {
        EventType type;
        std::string_view path, letter, jitsu, jitsu_server;
    };
    constexpr std::array<Call, 6> calls{{
        {EventType::identify, "/v1/identify", "/v1/i", "/api/s/identify", "/api/s/s2s/identify"},
        {EventType::track, "/v1/track", "/v1/t", "/api/s/track", "/api/s/s2s/track"},
        {EventType::page, "/v1/page", "/v1/p", "/api/s/page", "/api/s/s2s/page"},
        {EventType::screen, "/v1/screen", "/v1/s", "/api/s/screen", "/api/s/s2s/screen"},
        {EventType::group, "/v1/group", "/v1/g", "/api/s/group", "/api/s/s2s/group"},
        {EventType::alias, "/v1/alias", "/v1/a", "/api/s/alias", "/api/s/s2s/alias"},
    }};
    for (const auto& call : calls) {
        out.push_back(ingest_route(call.path, call.type));
        out.push_back(ingest_route(call.letter, call.type));
        for (const auto path : {call.jitsu, call.jitsu_server}) {
            out.push_back(ingest_route(path, call.type));
            out.back().says_ok = true;
        }
    }
    for (const auto* path : {"/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"})
        out.push_back(ingest_route(path, std::nullopt));
    for (auto& route : out) {
        if (route.path == "/v1/import") route.import = true;
        // A beacon carries the page's cookies whether it wants to or not.
        if (route.path == "/beacon/v1/batch") route.cors = Cors::with_credentials;
    }
}

Route sdk_route(Method method, std::string_view path, Now handler) {
    return {.method = method,
            .path = path,
            .cors = Cors::any_origin,
            .body_max = method == Method::post ? kDocumentBytesMax : 0,
            .handler = handler,
            .any_parameter = true};
}

void add_sdk(std::vector<Route>& out) {
    out.push_back(sdk_route(Method::post, "/v1/m", take_sdk_metrics));
    out.push_back(sdk_route(Method::get, "/v1/projects/{key}/settings", segment_settings));
    out.push_back(sdk_route(Method::get, "/sourceConfig", rudder_source_config));
    for (const auto* path : {"/rsaMetrics", "/rsaRequest"}) {
        out.push_back(sdk_route(Method::get, path, empty_answer));
        out.push_back(sdk_route(Method::post, path, empty_answer));
    }
}

Route keyed_route(Method method, std::string_view path, Roles roles, Handler handler,
                  std::vector<std::string_view> parameters = {}) {
    // Whoever looks at persons without a gate may say why.
    if (method == Method::get && (roles.has(Role::officer) || roles.has(Role::steward)))
        parameters.push_back("reason");
    return {.method = method,
            .path = path,
            .door = Door::key,
            .roles = roles,
            .body_max = method == Method::post ? kDocumentBytesMax : 0,
            .handler = handler,
            .parameters = std::move(parameters)};
}

void add_consent(std::vector<Route>& out) {
    out.push_back(keyed_route(Method::post, "/v1/consents", kConsentWriters,
                              {Work::at_once, record_consents}));
    out.back().server_sources = true;
    out.push_back(keyed_route(Method::get, "/v1/profiles/{identifier}/consents", kOfficers,
                              read_consents_of, {"limit", "cursor"}));
    for (const auto& [path, question] : audit_routes())
        out.push_back(keyed_route(Method::get, path, kOfficers, {Work::brief, answer_audit},
                                  question->parameters));
    out.push_back(keyed_route(Method::get, "/v1/withdrawals", kFeedReaders,
                              {Work::brief, read_withdrawals}, {"after", "limit", "channel"}));
    out.push_back(keyed_route(Method::post, "/v1/withdrawals/acknowledgements", kReaders,
                              {Work::brief, acknowledge_withdrawals}));
    out.push_back(
        keyed_route(Method::post, "/v1/decisions", kDecisionReaders, {Work::brief, decide}));
    out.back().server_sources = true;
    out.push_back(keyed_route(Method::post, "/v1/notices", kOfficers, {Work::brief, post_notice}));
    out.push_back(keyed_route(Method::get, "/v1/notices/{id}", kNoticeReaders, read_notice_versions,
                              {"version", "language"}));
    out.push_back(keyed_route(Method::get, "/v1/audit/quarantines", kOfficers, list_quarantines,
                              {"limit", "cursor", "status"}));
    out.push_back(keyed_route(Method::post, "/v1/audit/quarantines/{assertion}/release", kOfficers,
                              {Work::brief, release_quarantine}));
}

void add_keys(std::vector<Route>& out) {
    out.push_back(keyed_route(Method::post, "/v1/keys", kAdmins, {Work::brief, add_key}));
    out.push_back(keyed_route(Method::get, "/v1/keys", kAdmins, list_keys));
    out.push_back(
        keyed_route(Method::post, "/v1/keys/epochs", kAdmins, {Work::lengthy, change_epoch}));
    out.push_back(keyed_route(Method::get, "/v1/keys/epochs", kAdmins, {Work::brief, show_epochs}));
    out.push_back(
        keyed_route(Method::post, "/v1/keys/escrows", kAdmins, {Work::brief, add_escrow}));
    out.push_back(keyed_route(Method::get, "/v1/clock", kAdmins, show_clock));
    out.push_back(
        keyed_route(Method::post, "/v1/clock/accept", kAdmins, {Work::brief, accept_clock}));
    out.push_back(
        keyed_route(Method::post, "/v1/backups", kAdmins, {Work::lengthy, create_backup}));
    out.push_back(keyed_route(Method::get, "/v1/verify", kAdmins, {Work::lengthy, verify_data}));
}

void add_privacy_requests(std::vector<Route>& out) {
    out.push_back(keyed_route(Method::post, "/v1/privacy/requests", kOfficers,
                              {Work::brief, add_privacy_request}));
    out.push_back(keyed_route(Method::get, "/v1/privacy/requests", kOfficers, list_privacy_requests,
                              {"status", "kind", "due_before", "limit", "cursor"}));
    out.push_back(
        keyed_route(Method::get, "/v1/privacy/requests/{id}", kOfficers, read_privacy_request));
    out.push_back(keyed_route(Method::post, "/v1/privacy/requests/{id}/steps", kOfficers,
                              {Work::brief, step_privacy_request}));
    out.push_back(keyed_route(Method::get, "/v1/privacy/requests/{id}/results", kOfficers,
                              {Work::streamed, read_results_of}, {"format"}));
    out.push_back({.path = "/privacy/results/{link}",
                   .handler = {Work::streamed_open, read_results},
                   .parameters = {"format"}});
    // Mail programs and trackers on the way add parameters to links.
    const auto linked = [&](Method method, std::string_view path, Handler handler) {
        out.push_back({.method = method,
                       .path = path,
                       .body_max = method == Method::get ? 0 : kFormBytesMax,
                       .handler = handler,
                       .any_parameter = true});
    };
    linked(Method::get, "/privacy/verify/{link}", show_proof);
    linked(Method::post, "/privacy/verify/{link}", {Work::brief_open, prove_by_link});
}

// Signed messages, from agents whom their tokens and keys name.
void add_drp(std::vector<Route>& out) {
    const auto agents = [&](Method method, std::string_view path, Handler handler) {
        out.push_back({.method = method,
                       .path = path,
                       .body_max = method == Method::get ? 0 : kDrpBytesMax,
                       .handler = handler,
                       .dress = speak_drp});
    };
    agents(Method::post, "/v1/data-rights-request", {Work::brief_open, exercise_data_right});
    agents(Method::get, "/v1/data-rights-request/{id}", read_data_right);
    agents(Method::del, "/v1/data-rights-request/{id}", {Work::brief_open, revoke_data_right});
    agents(Method::post, "/v1/agent/{id}", {Work::brief_open, set_agent_up});
    agents(Method::get, "/v1/agent/{id}", read_agent);
    out.push_back(
        keyed_route(Method::post, "/v1/privacy/agents", kAdmins, {Work::brief, add_agent}));
    out.push_back(keyed_route(Method::get, "/v1/privacy/agents", kAdmins, list_agents));
    out.push_back(
        keyed_route(Method::del, "/v1/privacy/agents/{id}", kAdmins, {Work::brief, remove_agent}));
}

std::vector<Route> make_routes(bool metrics_open) {
    std::vector<Route> out;
    add_ingest(out);
    add_sdk(out);
    add_consent(out);
    out.push_back(
        keyed_route(Method::get, "/v1/profiles/{identifier}", kReaders, read_profile, {"purpose"}));
    out.push_back(keyed_route(Method::get, "/v1/profiles/{identifier}/events", kReaders,
                              read_timeline, {"purpose", "limit", "cursor"}));
    out.push_back(keyed_route(Method::get, "/v1/profiles/{identifier}/google-consent", kReaders,
                              read_google_consent));
    out.push_back(keyed_route(Method::post, "/v1/profiles/lookup", kReaders, look_up_profiles));
    out.push_back(keyed_route(Method::get, "/v1/profiles/{identifier}/groups", kOperators,
                              read_groups_of_person, {"limit", "cursor"}));
    out.push_back(keyed_route(Method::get, "/v1/profiles/{identifier}/identity", kOperators,
                              read_identity, {"as_of"}));
    out.push_back(
        keyed_route(Method::get, "/v1/identity/explain", kOperators, explain, {"a", "b"}));
    out.push_back(keyed_route(Method::get, "/v1/groups/{group_id}", kOperators, read_group,
                              {"limit", "cursor"}));
    out.push_back(keyed_route(Method::get, "/v1/identity/changes", kChangeReaders, read_changes,
                              {"after", "limit"}));
    out.push_back(keyed_route(Method::post, "/v1/identity/simulate", kStewards,
                              {Work::lengthy, simulate}, {"progress", "reason"}));
    out.push_back(keyed_route(Method::post, "/v1/identity/assertions", kStewards,
                              {Work::brief, add_assertion}));
    out.push_back(keyed_route(Method::get, "/v1/identity/assertions", kOperators, list_assertions,
                              {"limit", "cursor", "kind", "status"}));
    out.push_back(
        keyed_route(Method::get, "/v1/identity/assertions/{id}", kOperators, read_assertion));
    out.push_back(keyed_route(Method::post, "/v1/identity/assertions/{id}/revoke", kStewards,
                              {Work::brief, revoke_assertion}));
    add_keys(out);
    out.push_back(
        keyed_route(Method::get, "/v1/exports/{kind}", kOfficers, {Work::streamed, export_lines}));
    out.push_back({.path = "/ledger/checkpoint", .handler = ledger_checkpoint});
    out.push_back({.path = "/ledger/tile/{tile*}", .handler = ledger_tile});
    out.push_back(
        keyed_route(Method::get, "/v1/ledger/check", kOfficers, {Work::streamed, check_ledger}));
    out.push_back(keyed_route(Method::get, "/v1/ledger/keys", kOfficers, ledger_keys));
    out.push_back(
        keyed_route(Method::post, "/v1/ledger/keys", kAdmins, {Work::brief, rotate_ledger_key}));
    out.push_back(
        keyed_route(Method::get, "/v1/ledger/proofs/{index}", kOfficers, read_ledger_proof));
    // Receipts::make itself refuses sources whose key is public.
    out.push_back(keyed_route(Method::get, "/v1/receipts/{record}", kConsentWriters, read_receipt,
                              {"subject", "format"}));
    out.push_back(
        keyed_route(Method::post, "/v1/preferences/links", kLinkMakers, make_preference_link));
    out.back().server_sources = true;
    // Mail programs and trackers on the way add parameters to links.
    out.push_back(
        {.path = "/preferences/{link}", .handler = show_preference, .any_parameter = true});
    out.push_back({.method = Method::post,
                   .path = "/preferences/{link}",
                   .body_max = kFormBytesMax,
                   .handler = {Work::at_once, choose_preference},
                   .any_parameter = true});
    out.push_back(
        keyed_route(Method::post, "/v1/privacy/erasures", kOfficers, {Work::brief, erase}));
    out.push_back(keyed_route(Method::get, "/v1/privacy/erasures", kOfficers, list_erasures,
                              {"limit", "cursor"}));
    out.push_back(keyed_route(Method::get, "/v1/privacy/erasures/{id}", kOfficers, read_erasure));
    out.push_back(keyed_route(Method::get, "/v1/privacy/erasures/{id}/certificate", kOfficers,
                              {Work::brief, certify_erasure}));
    out.push_back(
        keyed_route(Method::post, "/v1/privacy/rectifications", kOfficers, {Work::brief, rectify}));
    out.push_back(keyed_route(Method::get, "/v1/privacy/rectifications", kOfficers,
                              list_rectifications, {"limit", "cursor"}));
    out.push_back(
        keyed_route(Method::get, "/v1/privacy/rectifications/{id}", kOfficers, read_rectification));
    out.push_back(keyed_route(Method::get, "/v1/privacy/reports/{identifier}", kOfficers,
                              {Work::streamed, read_report}, {"format", "others"}));
    add_privacy_requests(out);
    out.push_back(
        keyed_route(Method::post, "/v1/privacy/suppressions", kOfficers, {Work::brief, suppress}));
    out.push_back(keyed_route(Method::get, "/v1/privacy/suppressions", kOfficers, list_suppressions,
                              {"limit", "cursor", "because", "identifier"}));
    out.push_back(keyed_route(Method::post, "/v1/privacy/suppressions/{id}/revoke", kOfficers,
                              {Work::brief, revoke_suppression}));
    add_opendsr(out);
    add_iab(out);
    out.push_back(keyed_route(Method::get, "/v1/privacy/retention", kOfficers,
                              {Work::lengthy, read_retention}, {"limit", "cursor"}));
    out.push_back(keyed_route(Method::post, "/v1/privacy/retention/runs", kOfficers,
                              {Work::lengthy, run_retention}));
    add_drp(out);
    out.push_back({.path = "/.well-known/gpc.json", .handler = global_privacy_control});
    out.push_back({.path = "/healthz", .handler = healthz});
    out.push_back({.path = "/readyz", .handler = readyz});
    out.push_back({.path = "/metrics",
                   .door = metrics_open ? Door::open : Door::key,
                   .roles = kAdmins,
                   .handler = metrics});
    return out;
}

// The pattern's one {…} takes one whole segment that is not empty; {…*} takes all that follow.
bool matches(std::string_view pattern, std::string_view path, std::string_view& parameter) {
    const auto open = pattern.find('{');
    const auto close = pattern.find('}');
    const auto before = pattern.substr(0, open);
    const auto behind = pattern.substr(close + 1);
    if (path.size() <= before.size() + behind.size() || !path.starts_with(before) ||
        !path.ends_with(behind))
        return false;
    parameter = path.substr(before.size(), path.size() - before.size() - behind.size());
    return pattern[close - 1] == '*' || parameter.find('/') == parameter.npos;
}

}  // namespace

Routes::Routes(bool metrics_open) : routes_(make_routes(metrics_open)) {
    for (const auto& route : routes_) {
        if (route.path.find('{') == route.path.npos) {
            literal_[route.path].push_back(&route);
            continue;
        }
        const auto found =
            std::ranges::find(patterns_, route.path, &std::pair<std::string_view, Methods>::first);
        auto& entry =
            found == patterns_.end() ? patterns_.emplace_back(route.path, Methods{}) : *found;
        entry.second.push_back(&route);
    }
}

const Routes::Methods* Routes::find_path(std::string_view path, std::string_view& parameter) const {
    if (const auto found = literal_.find(path); found != literal_.end()) return &found->second;
    for (const auto& [pattern, methods] : patterns_)
        if (matches(pattern, path, parameter)) return &methods;
    return nullptr;
}

Dress Routes::dress_of(const Found& found, std::string_view path) const {
    if (!found.same_path.empty()) return found.same_path.front()->dress;
    for (const auto& route : routes_) {
        if (!route.dress) continue;
        const auto root = route.path.substr(0, route.path.find("/{"));
        if (path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/'))
            return route.dress;
    }
    return nullptr;
}

Routes::Found Routes::find(Method method, std::string_view path) const {
    Found out;
    const auto* methods = find_path(path, out.parameter);
    if (!methods && path.size() > 1 && path.back() == '/') {
        methods = find_path(path.substr(0, path.size() - 1), out.parameter);
        if (methods && methods->front()->cors == Cors::none) methods = nullptr;
    }
    if (!methods) return out;
    out.same_path = *methods;
    const auto wanted = method == Method::head ? Method::get : method;
    for (const auto* route : *methods)
        if (route->method == wanted) out.route = route;
    return out;
}

std::vector<std::string> Routes::names() const {
    std::vector<std::string> out;
    for (const auto& route : routes_)
        out.push_back(std::string(to_string(route.method)) + " " + std::string(route.path));
    out.emplace_back("none");
    return out;
}

std::string allowed_methods(std::span<const Route* const> same_path) {
    std::string out;
    for (const auto* route : same_path) {
        out += to_string(route->method);
        out += route->method == Method::get ? ", HEAD, " : ", ";
    }
    return out + "OPTIONS";
}

}  // namespace api
