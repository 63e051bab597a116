#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "api/certificate.h"
#include "cdp/base/result.h"
#include "consent/sha256.h"

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

    // The same body has the same signature. Costs about 2 ms.
    std::string sign(std::string_view body) const;
    // The same of what anybody may be told any number of times: remembered, so that it is cheap, as
    // long as there are few of them.
    std::string sign_repeated(std::string_view body) const;

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
    mutable std::map<consent::Sha256, std::string> remembered_;  // by what was signed; under mutex_
};

}  // namespace api
