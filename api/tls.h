#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "api/edge_config.h"
#include "cdp/base/clock.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"

struct ssl_ctx_st;

// What a server needs to speak TLS: 1.2 with AEAD and forward secrecy, or 1.3; HTTP/1.1 and nothing
// else by ALPN; no renegotiation, no compression, no resumption.
namespace api {

using TlsContext = std::shared_ptr<ssl_ctx_st>;

struct TlsPair {
    TlsContext context;
    cdp::Timestamp expires;
};

// Reads both files. Errors name the file; all invalid_argument, reasons tls_certificate_unreadable,
// tls_certificate_malformed, tls_certificate_not_valid (now), tls_key_unreadable,
// tls_key_malformed, tls_key_exposed (others than its owner may read it; root's may be read by its
// group), tls_pair_mismatch.
cdp::Result<TlsPair> read_tls_pair(const TlsFiles& files, cdp::Timestamp now);

// The pair that is served, read again when its files change, by a thread of its own. A pair that
// cannot be served leaves the one before in place, and is tried again at each look. Safe from many
// threads.
class TlsWatch {
public:
    // Errors: read_tls_pair's. The clock outlives it.
    static cdp::Result<std::unique_ptr<TlsWatch>> start(const TlsFiles& files,
                                                        const cdp::Clock& clock,
                                                        std::chrono::milliseconds look_every);
    ~TlsWatch();
    TlsWatch(const TlsWatch&) = delete;
    TlsWatch& operator=(const TlsWatch&) = delete;

    // For the next connection.
    TlsContext context() const;

    // Soon reads again, changed or not.
    void look_now();

    struct Status {
        std::chrono::seconds left{};  // until what is served expires; negative: since it did
        std::uint64_t refused = 0;    // pairs that were not taken
    };
    Status status() const;

private:
    TlsWatch(const TlsFiles& files, const cdp::Clock& clock, TlsPair pair);

    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace api
