#include "api/config.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "api/config_edge.h"
#include "api/config_policy.h"
#include "api/config_protocols.h"
#include "api/config_table.h"
#include "cdp/base/time.h"
#include "cdp/privacy_regimes.h"

namespace api {
namespace {

bool is_region(std::string_view text) {
    return text.size() == 2 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'A' && text[1] <= 'Z';
}

void read_region(ConfigTable& table, std::string_view key, std::string& out) {
    table.read(key, out);
    if (!out.empty() && !is_region(out))
        table.blame(key, "Two capital letters of ISO 3166-1 are expected.");
}

void read_disk(const toml::table* found, std::optional<ConfigFault>& fault, DiskConfig& out) {
    if (!found) return;
    ConfigTable table(*found, "disk", fault);
    auto megabytes = static_cast<std::int64_t>(out.reserve.bytes >> 20);
    auto cache = static_cast<std::int64_t>(out.cache_bytes >> 20);
    auto percent = std::int64_t{out.reserve.percent_max};
    auto hours =
        std::int64_t{std::chrono::duration_cast<std::chrono::hours>(out.scrub.cycle).count()};
    table.read("reserve_megabytes", 0, 1'000'000, megabytes);
    table.read("reserve_percent_max", 1, 90, percent);
    table.read("cache_megabytes", 16, 1'000'000, cache);
    table.read("scrub_hours", 0, 24 * 366, hours);
    out.reserve.bytes = static_cast<std::uint64_t>(megabytes) << 20;
    out.reserve.percent_max = static_cast<unsigned>(percent);
    out.cache_bytes = static_cast<std::size_t>(cache) << 20;
    out.scrub.cycle = std::chrono::hours(hours);
    table.finish();
}

void read_sources(const toml::table* found, std::optional<ConfigFault>& fault, Config& out) {
    if (!found) return;
    ConfigTable sources(*found, "sources", fault);
    for (const auto& name : sources.keys()) {
        const auto* one = sources.table(name);
        if (!one) return;
        ConfigTable source(*one, sources.path_of(name), fault);
        read_region(source, "region", out.platform.source_regions[name]);
        source.finish();
    }
}

void read_titles(const toml::table* found, std::optional<ConfigFault>& fault, Config& out) {
    if (!found) return;
    ConfigTable table(*found, "preferences", fault);
    if (const auto* titles = table.table("titles")) {
        ConfigTable purposes(*titles, "preferences.titles", fault);
        for (const auto& purpose : purposes.keys()) {
            const auto* one = purposes.table(purpose);
            if (!one) return;
            if (!out.platform.policy.find_purpose(purpose))
                purposes.blame(purpose, "No such purpose is declared.");
            ConfigTable title(*one, purposes.path_of(purpose), fault);
            for (const auto* language : {"en", "ko"})
                title.read(language, out.purpose_titles[purpose][language]);
            title.finish();
        }
        purposes.finish();
    }
    table.finish();
}

void read_controller(const toml::table* found, std::optional<ConfigFault>& fault,
                     consent::Controller& out) {
    if (!found) return;
    ConfigTable table(*found, "controller", fault);
    table.read("name", out.name);
    table.read("contact", out.contact);
    table.read("address", out.address);
    read_region(table, "country", out.country);
    table.read("email", out.email);
    table.read("phone", out.phone);
    table.read("url", out.url);
    table.read("policy_url", out.policy_url);
    table.read("service", out.service);
    table.read("storage", out.storage);
    table.read("retention", out.retention);
    table.read("withdrawal", out.withdrawal);
    table.finish();
}

void read_privacy(const toml::table* found, std::optional<ConfigFault>& fault, Config& out) {
    if (!found) return;
    ConfigTable table(*found, "privacy", fault);
    table.read("regime", out.privacy_regime);
    if (!cdp::find_privacy_regime(out.privacy_regime))
        table.blame("regime", "No such law is known here.");
    table.finish();
}

void read_google(const toml::table* found, std::optional<ConfigFault>& fault, Config& out) {
    if (!found) return;
    ConfigTable table(*found, "google_consent", fault);
    for (std::size_t i = 0; i < consent::kGoogleSignals.size(); ++i) {
        auto& purposes = out.platform.google[i];
        table.read(consent::kGoogleSignals[i], purposes);
        for (const auto& purpose : purposes)
            if (table.has(consent::kGoogleSignals[i]) && !out.platform.policy.find_purpose(purpose))
                table.blame(consent::kGoogleSignals[i], "No such purpose is declared.");
    }
    table.finish();
}

void read_all(const toml::table& document, std::optional<ConfigFault>& fault, Config& out) {
    ConfigTable table(document, "", fault);
    auto days = static_cast<std::int64_t>(out.platform.dedupe_window.count());
    auto session = static_cast<std::int64_t>(out.platform.session.count());
    auto waiting = static_cast<std::int64_t>(out.platform.waiting_max);
    table.read("dedupe_window_days", 1, 3650, days);
    table.read("session_minutes", 1, 720, session);
    table.read("waiting_max", 1, 10'000'000, waiting);
    read_region(table, "default_region", out.platform.default_region);
    out.platform.dedupe_window = std::chrono::days(days);
    out.platform.session = std::chrono::minutes(session);
    out.platform.waiting_max = static_cast<std::size_t>(waiting);
    read_server(table, out);
    read_disk(table.table("disk"), fault, out.disk);
    read_sources(table.table("sources"), fault, out);
    read_policy(table, out.platform);
    read_controller(table.table("controller"), fault, out.platform.controller);
    read_titles(table.table("preferences"), fault, out);
    read_google(table.table("google_consent"), fault, out);
    read_privacy(table.table("privacy"), fault, out);
    read_opendsr(table, out.platform.types, out.opendsr);
    read_iab(table, out.platform.types, out.iab);
    read_outgoing(table, out.outgoing);
    read_drp(table, out.agents);
    table.finish();
}

}  // namespace

cdp::Result<Config> parse_config(std::string_view text, const std::string& name) {
    toml::table document;
    try {
        document = toml::parse(text, std::string_view(name));
    } catch (const toml::parse_error& error) {
        const ConfigFault fault{error.source().begin.line, "",
                                std::string(error.description()) + "."};
        return error_of(fault, name);
    }
    Config out;
    std::optional<ConfigFault> fault;
    read_all(document, fault, out);
    if (!fault) check_policy(document, out.platform, fault);
    if (fault) return error_of(*fault, name);
    return out;
}

cdp::Result<Config> read_config(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in || !text)
        return cdp::Error{cdp::ErrorCode::not_found,
                          "config_unreadable",
                          file + ": The file cannot be read.",
                          {},
                          {}};
    auto config = CDP_TRY(parse_config(text.str(), file));
    std::error_code error;
    const auto changed = std::filesystem::last_write_time(file, error);
    if (!error) {
        const auto time = std::chrono::file_clock::to_sys(changed);
        config.day =
            cdp::format_time(std::chrono::floor<std::chrono::milliseconds>(time)).substr(0, 10);
    }
    return config;
}

cdp::Result<Config> given_config(const std::string& file) {
    if (file.empty()) return Config{};
    return read_config(file);
}

}  // namespace api
