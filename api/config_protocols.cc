#include "api/config_protocols.h"

#include <algorithm>

#include "api/iab_request.h"
#include "api/opendsr.h"
#include "api/url.h"

namespace api {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kKeysMax = 4;
constexpr std::size_t kBusinessIdMax = 64;

bool is_host(const std::string& text) {
    const auto url = parse_url("https://" + text);
    return url && url->host == text;
}

void check_hosts(ConfigTable& table, std::string_view key, const std::vector<std::string>& hosts) {
    for (const auto& host : hosts)
        if (!is_host(host)) table.blame(key, "A host name in lower case is expected.");
}

void read_types(ConfigTable& table, std::string_view key, const identity::IdentifierTypes& known,
                IdentityTypes& out) {
    const auto* found = table.table(key);
    if (!found) return;
    ConfigTable types(*found, table.path_of(key), table.fault());
    out.clear();
    for (const auto& name : types.keys()) {
        auto& ours = out[name];
        types.read(name, ours);
        if (!known.all().contains(ours))
            types.blame(name, "A type of identifier that is known here is expected.");
    }
    types.finish();
}

void read_party(ConfigTable& table, const IdentityTypes& types, IabParty& out) {
    table.read("domain", out.domain);
    // What stands before it where it is signed has no dot, and must end where it ends.
    if (!is_host(out.domain) || out.domain.find('.') == out.domain.npos)
        table.blame("domain", "A domain in lower case, with a dot, is expected.");
    table.read("identifier_types", out.identifier_types);
    for (const auto& type : out.identifier_types)
        if (!types.contains(type) && type != "email" && type != "phone")
            table.blame("identifier_types", "Types of [iab.identifier_types] are expected.");
    std::vector<std::string> keys;
    table.read("keys", keys);
    for (const auto& text : keys) {
        auto key = from_base64url(text);
        if (!key || key->size() != kKeyBytes)
            table.blame("keys", "The `x` of an Ed25519 key is expected.");
        out.keys.push_back(std::move(key).value_or(""));
    }
    if (keys.empty() || keys.size() > kKeysMax) table.blame("keys", "A party has 1 to 4 keys.");
    table.finish();
}

// Empty: nobody is let in.
bool is_business_id(std::string_view text) {
    return text.size() <= kBusinessIdMax && std::ranges::all_of(text, [](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
           });
}

void read_callback_hosts(ConfigTable& table, OpenDsrConfig& out) {
    const auto* found = table.table("callback_hosts");
    if (!found) return;
    ConfigTable hosts(*found, table.path_of("callback_hosts"), table.fault());
    for (const auto& controller : hosts.keys()) {
        auto& list = out.callback_hosts[controller];
        hosts.read(controller, list);
        check_hosts(hosts, controller, list);
    }
    hosts.finish();
}

}  // namespace

void read_opendsr(ConfigTable& document, const identity::IdentifierTypes& types,
                  OpenDsrConfig& out) {
    const auto* found = document.table("opendsr");
    if (!found) return;
    ConfigTable table(*found, "opendsr", document.fault());
    auto seconds = static_cast<std::int64_t>(out.cancel_window.count());
    table.read("domain", out.domain);
    table.read("certificate", out.certificate);
    table.read("key", out.key);
    table.read("cancel_seconds", 0, 7 * 86'400, seconds);
    out.cancel_window = std::chrono::seconds(seconds);
    if (!out.domain.empty() && !is_host(out.domain))
        table.blame("domain", "A domain in lower case is expected.");
    if (out.certificate.empty() != out.key.empty())
        table.blame(out.key.empty() ? "certificate" : "key",
                    "A certificate and its key go together.");
    read_types(table, "identity_types", types, out.identity_types);
    read_callback_hosts(table, out);
    table.finish();
}

void read_iab(ConfigTable& document, const identity::IdentifierTypes& types, IabConfig& out) {
    const auto* found = document.table("iab");
    if (!found) return;
    ConfigTable table(*found, "iab", document.fault());
    read_types(table, "identifier_types", types, out.identifier_types);
    if (const auto* parties = table.array("parties"))
        for (std::size_t i = 0; i < parties->size(); ++i) {
            const auto path = table.path_of("parties") + "[" + std::to_string(i) + "]";
            const auto* entry = (*parties)[i].as_table();
            if (!entry) return table.blame((*parties)[i], path, "A table is expected.");
            ConfigTable party(*entry, path, document.fault());
            read_party(party, out.identifier_types, out.parties.emplace_back());
            // A member that is missing has no line of its own.
            if (!entry->contains("domain") || !entry->contains("keys"))
                table.blame((*parties)[i], path, "A party has a domain and keys.");
        }
    table.finish();
}

void read_drp(ConfigTable& document, cdp::AgentTerms& out) {
    const auto* found = document.table("drp");
    if (!found) return;
    ConfigTable table(*found, document.path_of("drp"), document.fault());
    table.read("business_id", out.business_id);
    if (!is_business_id(out.business_id))
        table.blame("business_id", "An id as the directory has it is expected: [A-Z0-9_].");
    table.read("verification_url", out.verification_url);
    if (!out.verification_url.empty() && !out.verification_url.starts_with("https://"))
        table.blame("verification_url", "A URL that begins with https:// is expected.");
    auto minutes = static_cast<std::int64_t>(out.revoke_window.count());
    table.read("revoke_window_minutes", 0, 10'080, minutes);
    out.revoke_window = std::chrono::minutes(minutes);
    table.finish();
}

void read_outgoing(ConfigTable& document, OutgoingConfig& out) {
    const auto* found = document.table("outgoing");
    if (!found) return;
    ConfigTable table(*found, "outgoing", document.fault());
    table.read("inner_hosts", out.inner_hosts);
    table.read("authorities", out.authorities);
    check_hosts(table, "inner_hosts", out.inner_hosts);
    table.finish();
}

cdp::Result<void> check_protocol_files(const Config& config, const std::string& file,
                                       cdp::Timestamp now) {
    const auto wrong = [&](const char* path, const cdp::Error& error) {
        return error_of({.line = 0, .path = path, .message = error.message}, file);
    };
    if (const auto& dsr = config.opendsr; !dsr.key.empty()) {
        const auto signer = configured_signer(dsr, config.public_url, now);
        if (!signer)
            return wrong(
                signer.error().reason.starts_with("key") ? "opendsr.key" : "opendsr.certificate",
                signer.error());
    }
    const auto rules = read_rules(config.outgoing);
    if (!rules) return wrong("outgoing.authorities", rules.error());
    return cdp::Result<void>::ok();
}

}  // namespace api
