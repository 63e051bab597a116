#include "api/drp_request.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "api/parameters.h"
#include "cdp/privacy_regimes.h"
#include "cdp/privacy_request_rows.h"
#include "consent/json_writer.h"
#include "consent/sha256.h"
#include "consent/utf8.h"

namespace api {
namespace {

using cdp::PrivacyKind;
using cdp::PrivacyState;
using nlohmann::json;

constexpr std::size_t kUrlMax = 2'048;
constexpr std::size_t kAgentRequestIdMax = 256;
// It wanted to be called back at a host that is not the agent's.
constexpr const char* kCallbackNotAllowed = "callback_not_allowed";

struct Exercise {
    std::string_view name;
    PrivacyKind kind;
};
// The directory's schema spells two of them with hyphens.
constexpr std::array kExercises{Exercise{"sale:opt_out", PrivacyKind::opt_out},
                                Exercise{"sale:opt-out", PrivacyKind::opt_out},
                                Exercise{"sale:opt_in", PrivacyKind::opt_in},
                                Exercise{"sale:opt-in", PrivacyKind::opt_in},
                                Exercise{"deletion", PrivacyKind::erasure},
                                Exercise{"access", PrivacyKind::access},
                                Exercise{"access:categories", PrivacyKind::access_categories},
                                Exercise{"access:specific", PrivacyKind::access}};

struct Claim {
    const char* name;
    const char* verified;
    const char* type;  // of the identifier
};
constexpr std::array kClaims{Claim{"email", "email_verified", "email"},
                             Claim{"phone_number", "phone_number_verified", "phone"}};

bool is_true(const json& claims, const char* name) {
    const auto found = claims.find(name);
    return found != claims.end() && found->is_boolean() && found->get<bool>();
}

// Who it is about. Where that is to be proved, what the agent has verified stands for itself; what
// it has not is not acted upon beside that, or one verified address would open another's data. Of
// several that nobody has verified the first is taken, for one proof proves one.
void take_identity(const json& claims, cdp::NewPrivacyRequest& out) {
    std::vector<cdp::RequestedIdentifier> verified;
    std::vector<cdp::RequestedIdentifier> all;
    for (const auto& [name, flag, type] : kClaims) {
        const auto value = claim(claims, name);
        if (value.empty()) continue;
        all.push_back({type, value});
        if (is_true(claims, flag)) verified.push_back(all.back());
    }
    if (!verified.empty()) out.verified_by = "agent";
    if (cdp::needs_verification(out.kind)) {
        if (all.size() > 1) all.resize(1);
        if (!verified.empty()) all = std::move(verified);
    }
    out.identifiers = std::move(all);
}

// The host of an https URL without user and password; nullopt: it is none.
std::optional<std::string> host_of(std::string_view url) {
    constexpr std::string_view kHttps = "https://";
    if (!url.starts_with(kHttps) || url.size() > kUrlMax) return std::nullopt;
    auto rest = url.substr(kHttps.size());
    rest = rest.substr(0, rest.find_first_of("/?#"));
    if (rest.find('@') != rest.npos) return std::nullopt;
    rest = rest.substr(0, rest.find(':'));
    std::string host(rest);
    for (auto& c : host)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    if (host.empty()) return std::nullopt;
    return host;
}

// The agent's own, which it is handed back.
cdp::Result<std::string> agent_request_id_in(const json& claims) {
    for (const std::string name : {"agent_request_id", "agent-request-id"}) {
        const auto found = claims.find(name);
        if (found == claims.end() || found->is_null()) continue;
        auto id = claim(claims, name.c_str());
        if (!found->is_string() || id.size() > kAgentRequestIdMax || !consent::is_line(id))
            return invalid("malformed_agent_request_id",
                           name + " is one line of at most 256 bytes.", "/" + name);
        if (!id.empty()) return id;
    }
    return std::string();
}

json context_of(const cdp::PrivacyRequest& request) {
    auto context = json::parse(request.context, nullptr, /*allow_exceptions=*/false);
    return context.is_object() ? context : json::object();
}

bool shows(PrivacyKind kind) {
    return kind == PrivacyKind::access || kind == PrivacyKind::access_categories;
}

std::string details_of(const cdp::PrivacyRequest& request) {
    std::string out;
    if (!request.extended_for.empty())
        out = "The time to answer was extended: " + request.extended_for;
    for (const auto& [why, types] : request.results.stayed)
        for (const auto& type : types)
            out += (out.empty() ? "" : "; ") + ("Not erased: " + type) + ", " + why;
    return out;
}

struct Standing {
    std::string_view status;
    std::string_view reason = {};
};

std::string_view reason_of(const cdp::PrivacyRequest& request) {
    if (request.denial == cdp::PrivacyDenial::insufficient_verification)
        return "insuf_verification";
    return request.denial ? to_string(*request.denial) : "other";
}

Standing standing_of(const cdp::PrivacyRequest& request, cdp::Timestamp now) {
    const auto& until = request.results.until;
    switch (request.state) {
        case PrivacyState::received: return {"open"};
        case PrivacyState::waiting_for_verification:
            return {"in_progress", "need_user_verification"};
        case PrivacyState::verified:
        case PrivacyState::in_progress: return {"in_progress"};
        case PrivacyState::fulfilled:
            // Nobody was found whose data could go or be seen.
            if ((request.kind == PrivacyKind::erasure || shows(request.kind)) &&
                !request.results.matched)
                return {"denied", "no_match"};
            return {until && *until <= now ? "expired" : "fulfilled"};
        case PrivacyState::denied: return {"denied", reason_of(request)};
        case PrivacyState::cancelled: return {"revoked"};
        // The time to prove who asks has run out.
        case PrivacyState::expired: return {"denied", "insuf_verification"};
    }
    return {"in_progress"};
}

}  // namespace

cdp::Result<cdp::NewPrivacyRequest> drp_request_of(const DrpMessage& message,
                                                   const cdp::Agent& agent,
                                                   const cdp::AgentTerms& config,
                                                   cdp::Timestamp now) {
    const auto& claims = message.claims;
    const auto exercise = std::ranges::find(kExercises, claim(claims, "exercise"), &Exercise::name);
    if (exercise == kExercises.end())
        return invalid("exercise_unknown", "Unsupported rights actions submitted.");
    cdp::NewPrivacyRequest out{.kind = exercise->kind, .protocol = cdp::PrivacyProtocol::drp};
    out.external_id = cdp::to_hex(consent::view(consent::sha256(message.bytes)));
    out.regime = claim(claims, "regime");
    if (out.regime.empty()) out.regime = "voluntary";
    if (!cdp::find_privacy_regime(out.regime))
        return invalid("regime_unknown", "No such regime is served here.");
    take_identity(claims, out);
    if (out.identifiers.empty())
        return invalid("identity_missing", "Neither email nor phone_number says who asks.");
    const auto url = claim(claims, "status_callback");
    const auto host = host_of(url);
    if (!url.empty() && !host)
        return invalid("callback_malformed", "status_callback is no https URL.");
    const auto& hosts = agent.callback_hosts;
    out.callbacks = host && std::ranges::find(hosts, *host) != hosts.end();
    if (exercise->kind == PrivacyKind::erasure || shows(exercise->kind))
        out.not_before = now + config.revoke_window;
    out.signed_by = "registration " + agent.registration();
    json context{{"exercise", std::string(exercise->name)}};
    if (out.callbacks)
        context["callback"] = url;
    else if (!url.empty())
        out.note = kCallbackNotAllowed;
    const auto id = CDP_TRY(agent_request_id_in(claims));
    if (!id.empty()) context["agent_request_id"] = id;
    out.context = context.dump();
    return out;
}

std::string drp_sender(const cdp::Agent& agent) {
    return "agent:" + agent.id;
}

std::string callback_of(const cdp::PrivacyRequest& request) {
    return claim(context_of(request), "callback");
}

std::string uuid_of(const cdp::PrivacyRequestId& id) {
    auto out = cdp::to_hex(id.view());
    for (const std::size_t at : {20, 16, 12, 8}) out.insert(at, "-");
    return out;
}

std::string id_in_uuid(std::string_view uuid) {
    std::string out;
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen != (uuid[i] == '-')) return {};
        if (!hyphen) out += uuid[i];
    }
    return out.size() == 2 * sizeof(cdp::PrivacyRequestId::bytes) ? out : "";
}

std::string drp_standing(const cdp::PrivacyRequest& request, cdp::Timestamp now) {
    const auto standing = standing_of(request, now);
    std::string out(standing.status);
    if (!standing.reason.empty()) out.append(" ").append(standing.reason);
    return out;
}

std::string drp_status(const cdp::PrivacyRequest& request, const DrpUrls& urls,
                       cdp::Timestamp now) {
    const auto standing = standing_of(request, now);
    consent::JsonWriter out;
    out.open().text("request_id", uuid_of(request.id));
    out.text("received_at", cdp::format_time(request.received));
    out.text("expected_by", cdp::format_time(request.due()));
    out.text_if("agent_request_id", claim(context_of(request), "agent_request_id"));
    out.text_if("processing_details", details_of(request));
    out.text("status", standing.status).text_if("reason", standing.reason);
    if (request.state == PrivacyState::waiting_for_verification) {
        out.text_if("user_verification_url", urls.verification);
        out.text("expires_at", cdp::format_time(cdp::verify_by(request)));
    }
    if (standing.status == "fulfilled" && !urls.results.empty()) {
        out.text("results_url", urls.results);
        if (request.results.until) out.text("expires_at", cdp::format_time(*request.results.until));
    }
    return out.close().take();
}

}  // namespace api
