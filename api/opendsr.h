#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "api/iab_signer.h"
#include "api/opendsr_config.h"
#include "api/opendsr_signature.h"
#include "cdp/base/clock.h"
#include "cdp/platform.h"

namespace api {

// What the routes of OpenDSR and of the IAB's protocol share: whose domain this is, and what signs
// for it. Safe to use from
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
    // second and waits for the disk. Errors: those of OpenDsrSigner, certificate_not_in_force of a
    // configured one, key_missing, key_exposed, certificate_missing; those of the store.
    cdp::Result<const OpenDsrSigner*> signer() const;
    // What signs for the IAB's protocol, made here alike. Errors of the store.
    cdp::Result<const IabSigner*> iab_signer() const;
    // At once: nullptr until they were asked for.
    const OpenDsrSigner* ready_signer() const { return ready_; }
    const IabSigner* ready_iab_signer() const { return iab_ready_; }

private:
    cdp::Result<Credentials> own_credentials() const;

    cdp::Platform& platform_;
    const cdp::Clock& clock_;
    const OpenDsrConfig config_;
    const std::string public_url_;
    const std::string domain_;
    mutable std::mutex mutex_;
    // Under mutex_, set once; then to be had without it.
    mutable std::unique_ptr<OpenDsrSigner> signer_;
    mutable std::unique_ptr<IabSigner> iab_signer_;
    mutable std::atomic<const OpenDsrSigner*> ready_ = nullptr;
    mutable std::atomic<const IabSigner*> iab_ready_ = nullptr;
};

// What `config` names, as far as it can sign at `now`, and nothing of the store. Errors: those of
// OpenDsrSigner, certificate_not_in_force, key_missing, key_exposed, certificate_missing.
cdp::Result<std::unique_ptr<OpenDsrSigner>> configured_signer(const OpenDsrConfig& config,
                                                              const std::string& public_url,
                                                              cdp::Timestamp now);

}  // namespace api
