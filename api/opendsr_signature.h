#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/certificate.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"

// How OpenDSR's answers and callbacks are signed; docs/decisions/0032.
namespace api {

// Signs bodies: RSA PKCS #1 v1.5 with SHA-256 over the raw bytes, in base64. Safe to use from many
// threads.
class OpenDsrSigner {
public:
    // Errors: key_malformed (no RSA key of 2048 bits or more is one too), certificate_malformed,
    // certificate_foreign (of another key, or of another domain).
    static cdp::Result<std::unique_ptr<OpenDsrSigner>> make(const Credentials& credentials,
                                                            std::string domain);

    // The same body has the same signature. Costs about 2 ms; short ones are remembered, so that
    // refusals are cheap.
    std::string sign(std::string_view body) const;

    const std::string& domain() const { return domain_; }
    const std::string& certificate() const { return certificate_; }
    bool self_signed() const { return self_signed_; }

private:
    OpenDsrSigner(PrivateKey key, std::string certificate, std::string domain, bool self_signed)
        : key_(std::move(key)),
          certificate_(std::move(certificate)),
          domain_(std::move(domain)),
          self_signed_(self_signed) {}

    const PrivateKey key_;
    const std::string certificate_;
    const std::string domain_;
    const bool self_signed_;
    mutable std::mutex mutex_;
    mutable std::unordered_map<std::string, std::string> remembered_;  // under mutex_
};

// What came with a message: the two headers, as they stand.
struct SignedHeaders {
    std::string_view domain;
    std::string_view signature;
};

// Whom we expect: the domain we know and the certificate kept for it.
struct ExpectedSigner {
    std::string_view domain;
    const Certificate& certificate;
};

// In the order that the protocol prescribes, before anything of the body is read: the domain is the
// one expected, its certificate names it and is in force, and the signature is that of the bytes
// (RSA PKCS #1 v1.5 or PSS, or ECDSA, with SHA-256). All errors are forbidden: signature_missing,
// domain_untrusted, certificate_untrusted, signature_wrong.
cdp::Result<void> verify_opendsr_signature(const SignedHeaders& headers, std::string_view body,
                                           const ExpectedSigner& expected, cdp::Timestamp now);

}  // namespace api
