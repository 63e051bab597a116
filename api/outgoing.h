#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cdp/base/result.h"

namespace api {

// What an operator sets of it; docs/cdp.example.toml.
struct OutgoingConfig {
    std::vector<std::string> inner_hosts = {};
    std::string authorities;  // a PEM file
};

// Where requests of ours may go, and how much patience they have.
struct OutgoingRules {
    // May lie at addresses that are not public, and be spoken to without TLS. Lower case.
    std::vector<std::string> inner_hosts = {};
    bool anywhere = false;         // so may every host: for a URL that the operator typed
    std::string authorities = {};  // PEM certificates that are trusted besides the system's
    std::chrono::milliseconds patience{10'000};  // of one request, all of it but the name's look-up
    std::size_t answer_bytes_max = 64 * 1024;
};

// Reads the file. authorities_missing.
cdp::Result<OutgoingRules> read_rules(const OutgoingConfig& config);

struct OutgoingRequest {
    bool post = false;  // else GET
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
};

struct OutgoingAnswer {
    int status = 0;
    std::string body;
};

// The one way out: HTTP/1.1 requests to others, one at a time, on the caller's thread. The name is
// looked up once, and only what that gave is connected to. Redirects are answers like all others.
// A connection that the other side keeps open is used again; closed before a byte of the answer, it
// is opened anew, once. Not safe to use from several threads at once.
class Outgoing {
public:
    explicit Outgoing(OutgoingRules rules);
    ~Outgoing();
    Outgoing(const Outgoing&) = delete;
    Outgoing& operator=(const Outgoing&) = delete;

    // Any status is an answer. Errors: invalid_argument, url_malformed; forbidden, url_not_https
    // and address_not_public, before a byte leaves; unavailable: authorities_malformed,
    // host_unknown, host_unreachable, certificate_refused (or TLS failed otherwise), answer_late,
    // answer_too_large, answer_cut.
    cdp::Result<OutgoingAnswer> send(const OutgoingRequest& request);

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace api
