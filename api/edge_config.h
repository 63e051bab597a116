#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "api/address.h"
#include "api/rate_table.h"

namespace api {

// PEM files: a certificate with those that vouch for it, and its key. Both or none.
struct TlsFiles {
    std::string certificate = {};
    std::string key = {};

    bool given() const { return !certificate.empty(); }
};

// The field in which proxies say for whom they ask. One of them: a proxy sets one and passes the
// other on as it came.
enum class ForwardedField : std::uint8_t { x_forwarded_for, forwarded };

// What is granted to whoever can reach the server; docs/decisions/0036.
struct EdgeConfig {
    TlsFiles tls = {};
    std::size_t connections_per_address = 1'000;
    Rate address_requests{.per_second = 1'000, .burst = 10'000};
    Rate key_requests{.per_second = 5'000, .burst = 50'000};
    Rate wrong_keys{.per_second = 1, .burst = 100};  // of an address
    // Of an address, bodies to inflate before it is known whose they are. Not configured.
    Rate keyless_gzip{.per_second = 10, .burst = 100};
    bool bounds_loopback = false;  // whoever is on this machine counts like all others
    Networks trusted_proxies = {};
    ForwardedField forwarded_field = ForwardedField::x_forwarded_for;
    std::uint32_t bytes_per_second_min = 1'000;  // of a body, and of an answer
    std::uint32_t slow_seconds = 10;             // before that is asked of anybody
};

}  // namespace api
