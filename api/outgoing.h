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
    // Of the look-up of a name, and then of a whole request.
    std::chrono::milliseconds patience{10'000};
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
// is opened anew, once. Not safe to use from several threads at once, but for cancel().
class Outgoing {
public:
    explicit Outgoing(OutgoingRules rules);
    ~Outgoing();
    Outgoing(const Outgoing&) = delete;
    Outgoing& operator=(const Outgoing&) = delete;

    // Any status is an answer. Errors: invalid_argument, url_malformed; forbidden, url_not_https
    // and address_not_public, before a byte leaves; unavailable: authorities_malformed,
    // host_unknown, host_unreachable, certificate_refused (or TLS failed otherwise), answer_late,
    // answer_too_large, answer_cut, cancelled.
    cdp::Result<OutgoingAnswer> send(const OutgoingRequest& request);

    // From any thread: closes what is open, at once and for good. What is under way and all that
    // follows is `cancelled`.
    void cancel();

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace api
