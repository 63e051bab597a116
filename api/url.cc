#include "api/url.h"

#include <algorithm>
#include <charconv>

namespace api {
namespace {

constexpr std::string_view kPlain = "http://";
constexpr std::string_view kTls = "https://";
constexpr std::size_t kUrlBytesMax = 2048;

bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_port(std::string_view text) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size() && port > 0 && port < 65536;
}

bool is_host(std::string_view text, bool bracketed) {
    if (text.empty() || text.size() > 253) return false;
    return std::ranges::all_of(text, [&](char c) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
        return plain || c == (bracketed ? ':' : '-');
    });
}

}  // namespace

std::string Url::authority() const {
    auto out = host.find(':') == host.npos ? host : "[" + host + "]";
    if (port != (tls ? "443" : "80")) out += ":" + port;
    return out;
}

std::optional<Url> parse_url(std::string_view text) {
    if (text.size() > kUrlBytesMax || !is_printable(text)) return std::nullopt;
    if (text.find_first_of("#\\\"<>^`{|}") != text.npos) return std::nullopt;
    Url out;
    out.tls = text.starts_with(kTls);
    if (!out.tls && !text.starts_with(kPlain)) return std::nullopt;
    text.remove_prefix((out.tls ? kTls : kPlain).size());
    const auto path = std::min(text.find_first_of("/?"), text.size());
    auto authority = text.substr(0, path);
    out.target = text.substr(path);
    out.has_path = out.target.starts_with('/');
    if (!out.has_path) out.target = "/" + out.target;

    const bool bracketed = authority.starts_with('[');
    const auto bracket = bracketed ? authority.find(']') : 0;
    if (bracket == authority.npos) return std::nullopt;
    const auto colon = authority.find(':', bracket);
    out.port = out.tls ? "443" : "80";
    if (colon != authority.npos) {
        out.port = authority.substr(colon + 1);
        if (!is_port(out.port)) return std::nullopt;
        authority = authority.substr(0, colon);
    }
    if (bracketed) {
        if (!authority.ends_with(']')) return std::nullopt;
        authority = authority.substr(1, authority.size() - 2);
    }
    out.host = authority;
    for (auto& c : out.host)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    if (!is_host(out.host, bracketed)) return std::nullopt;
    return out;
}

}  // namespace api
