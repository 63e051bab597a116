#include "api/config_edge.h"

namespace api {
namespace {

template <typename Number>
void read_number(ConfigTable& table, std::string_view key, std::int64_t low, std::int64_t high,
                 Number& out) {
    auto value = static_cast<std::int64_t>(out);
    table.read(key, low, high, value);
    out = static_cast<Number>(value);
}

void read_proxies(ConfigTable& table, EdgeConfig& out) {
    std::vector<std::string> networks;
    table.read("trusted_proxies", networks);
    for (const auto& network : networks)
        if (!out.trusted_proxies.add(network))
            table.blame("trusted_proxies",
                        "Networks like 10.0.0.0/8 or 2001:db8::/32 are expected.");
    const auto field_of = [](const std::string& name) -> std::optional<ForwardedField> {
        if (name == "X-Forwarded-For") return ForwardedField::x_forwarded_for;
        if (name == "Forwarded") return ForwardedField::forwarded;
        return std::nullopt;
    };
    read_word(table, "forwarded_field", field_of, "X-Forwarded-For or Forwarded is expected.",
              out.forwarded_field);
}

void read_network(const toml::table* found, std::optional<ConfigFault>& fault, Config& out) {
    if (!found) return;
    ConfigTable table(*found, "server", fault);
    read_number(table, "threads", 0, 1024, out.threads);
    read_number(table, "connections_max", 1, 1'000'000, out.connections_max);
    read_number(table, "connections_per_address", 0, 1'000'000, out.edge.connections_per_address);
    table.read("public_url", out.public_url);
    const auto& url = out.public_url;
    if (!url.empty() &&
        ((!url.starts_with("http://") && !url.starts_with("https://")) || url.ends_with('/')))
        table.blame("public_url", "A URL like https://cdp.example.com, without a slash behind it.");
    read_proxies(table, out.edge);
    table.finish();
}

void read_tls(const toml::table* found, std::optional<ConfigFault>& fault, TlsFiles& out) {
    if (!found) return;
    ConfigTable table(*found, "tls", fault);
    table.read("certificate", out.certificate);
    table.read("key", out.key);
    if (out.certificate.empty() != out.key.empty())
        table.blame("A certificate and its key are expected, or neither.");
    table.finish();
}

void read_rate(ConfigTable& table, std::string_view rate, std::string_view burst, Rate& out) {
    read_number(table, rate, 0, 1'000'000, out.per_second);
    read_number(table, burst, 1, 10'000'000, out.burst);
}

void read_limits(const toml::table* found, std::optional<ConfigFault>& fault, EdgeConfig& out) {
    if (!found) return;
    ConfigTable table(*found, "limits", fault);
    read_rate(table, "address_requests", "address_burst", out.address_requests);
    read_rate(table, "key_requests", "key_burst", out.key_requests);
    read_rate(table, "wrong_keys", "wrong_keys_burst", out.wrong_keys);
    table.read("loopback", out.bounds_loopback);
    read_number(table, "bytes_per_second_min", 0, 1'000'000, out.bytes_per_second_min);
    read_number(table, "slow_seconds", 1, 3600, out.slow_seconds);
    table.finish();
}

}  // namespace

void read_server(ConfigTable& document, Config& out) {
    read_network(document.table("server"), document.fault(), out);
    read_tls(document.table("tls"), document.fault(), out.edge.tls);
    read_limits(document.table("limits"), document.fault(), out.edge);
}

}  // namespace api
