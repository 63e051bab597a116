#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "api/opendsr_config.h"
#include "api/opendsr_signature.h"
#include "cdp/base/clock.h"
#include "cdp/platform.h"

namespace api {

// What the routes of OpenDSR share: whose domain this is, and what signs for it. Safe to use from
// many threads; the platform and the clock must outlive it.
class OpenDsr {
public:
    OpenDsr(cdp::Platform& platform, const cdp::Clock& clock, OpenDsrConfig config,
            std::string public_url);

    const OpenDsrConfig& config() const { return config_; }
    const std::string& domain() const { return domain_; }
    // A URL of ours: of the configured domain by https; where none is, under the public URL.
    std::string url(std::string_view path) const;

    // The configured key and certificate, or those made here: the first time that takes up to a
    // second and waits for the disk. Errors: those of OpenDsrSigner, key_missing, key_exposed,
    // certificate_missing; those of the store.
    cdp::Result<const OpenDsrSigner*> signer() const;

private:
    cdp::Result<Credentials> credentials() const;

    cdp::Platform& platform_;
    const cdp::Clock& clock_;
    const OpenDsrConfig config_;
    const std::string public_url_;
    const std::string domain_;
    mutable std::mutex mutex_;
    mutable std::unique_ptr<OpenDsrSigner> signer_;  // under mutex_, set once
};

}  // namespace api
