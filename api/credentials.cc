#include "api/credentials.h"

#include <algorithm>
#include <array>

#include "api/problem.h"
#include "api/routes.h"
#include "cdp/base/assert.h"

namespace api {
namespace {

std::optional<std::string> decode_base64(std::string_view text) {
    while (text.ends_with('=')) text.remove_suffix(1);
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        int digit = -1;
        if (c >= 'A' && c <= 'Z') digit = c - 'A';
        if (c >= 'a' && c <= 'z') digit = c - 'a' + 26;
        if (c >= '0' && c <= '9') digit = c - '0' + 52;
        if (c == '+' || c == '-') digit = 62;
        if (c == '/' || c == '_') digit = 63;
        if (digit < 0) return std::nullopt;
        bits = (bits << 6) | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out.push_back(static_cast<char>(bits >> count));
        bits &= (1u << count) - 1;
    }
    return out;
}

// `scheme` is lower case.
std::optional<std::string_view> behind_scheme(std::string_view value, std::string_view scheme) {
    if (value.size() <= scheme.size() || value[scheme.size()] != ' ') return std::nullopt;
    for (std::size_t i = 0; i < scheme.size(); ++i)
        if ((value[i] | 0x20) != scheme[i]) return std::nullopt;
    value.remove_prefix(scheme.size());
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    return value;
}

// A header that says nothing we understand is a wrong key, not an absent one.
std::string key_in_authorization(std::string_view value) {
    if (const auto token = behind_scheme(value, "bearer")) return std::string(*token);
    if (const auto packed = behind_scheme(value, "basic"))
        if (auto pair = decode_base64(*packed)) return pair->substr(0, pair->find(':'));
    return {};
}

std::optional<std::string> key_in_head(const Request& request) {
    const auto& head = *request.head;
    if (head.authorization.data() != nullptr) return key_in_authorization(head.authorization);
    if (request.route->door != Door::write_key) return std::nullopt;
    if (head.write_key.data() != nullptr) return std::string(head.write_key);
    return query_value(head.query, "writeKey");
}

}  // namespace

bool is_known_by_head(const Request& request) {
    return request.uid >= 0 || request.route->door != Door::write_key ||
           !request.head->has_body() || key_in_head(request);
}

std::optional<std::string> key_of(const Request& request) {
    if (auto key = key_in_head(request)) return key;
    if (request.route->door != Door::write_key) return std::nullopt;
    auto key = cdp::write_key_of(request.body);
    return key.empty() ? std::nullopt : std::optional(std::move(key));
}

Entry authorise(const Services& services, Request& request) {
    const auto& route = *request.route;
    if (route.door == Door::open) return Entry::granted;
    if (request.uid >= 0) {
        request.caller = {.role = cdp::Role::admin, .name = "admin-socket", .channel = {}};
    } else {
        const auto key = key_of(request);
        if (!key) return Entry::no_key;
        auto caller = services.access.find(*key);
        if (!caller) return Entry::wrong_key;
        request.caller = std::move(*caller);
    }
    const auto& caller = request.caller;
    if (!route.roles.has(caller.role)) return Entry::wrong_role;
    const bool is_public = caller.role == cdp::Role::source && caller.trust != cdp::Trust::server;
    return route.server_sources && is_public ? Entry::public_key : Entry::granted;
}

Response refusal_of(Entry entry) {
    switch (entry) {
        case Entry::granted: break;
        case Entry::no_key: return problem(401, "key_missing", "This needs a key.");
        case Entry::wrong_key: return problem(401, "key_unknown", "The key is not known.");
        case Entry::wrong_role:
            return problem(403, "role_forbidden", "A key of this role may not do that.");
        case Entry::public_key:
            return problem(403, "server_source_required",
                           "A source whose key is public may not do that.");
    }
    CDP_ASSERT(false);
    return problem(500, "internal", "Something went wrong here.");
}

}  // namespace api
