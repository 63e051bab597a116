#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace api {

// Where a request of ours goes.
struct Url {
    bool tls = false;
    std::string host;  // lower case; an IPv6 address without its brackets
    std::string port;
    std::string target;  // starts with a slash
    bool has_path = false;

    // As it stands in the Host field: brackets again, the port unless it is the scheme's own.
    std::string authority() const;
};

// http://HOST[:PORT][/…] or https://; nullopt for anything else, for user names and fragments.
std::optional<Url> parse_url(std::string_view text);

}  // namespace api
