#include "api/opendsr.h"

#include <fcntl.h>

#include <cerrno>

#include "api/url.h"
#include "cdp/own_secrets.h"
#include "cdp/privacy.h"
#include "storage/file.h"
#include "storage/random.h"

namespace api {
namespace {

constexpr std::size_t kPemBytesMax = 64 * 1024;
constexpr std::string_view kSecret = "opendsr ";
constexpr std::string_view kIabSecret = "iab signing key";
constexpr std::size_t kIabSeedBytes = 32;
constexpr std::string_view kCertificateMark = "-----BEGIN CERTIFICATE-----";

std::string domain_for(const OpenDsrConfig& config, const std::string& public_url) {
    if (!config.domain.empty()) return config.domain;
    const auto url = parse_url(public_url);
    return url ? url->host : "localhost";
}

cdp::Result<std::string> read_file(const std::string& path) {
    const storage::Descriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened.ok())
        return cdp::Error{cdp::ErrorCode::unavailable,
                          "certificate_missing",
                          "The certificate's file cannot be read.",
                          {},
                          {}};
    return storage::read_all(opened.number(), kPemBytesMax);
}

}  // namespace

OpenDsr::OpenDsr(cdp::Platform& platform, const cdp::Clock& clock, OpenDsrConfig config,
                 std::string public_url)
    : platform_(platform),
      clock_(clock),
      config_(std::move(config)),
      public_url_(std::move(public_url)),
      domain_(domain_for(config_, public_url_)) {}

std::string OpenDsr::url(std::string_view path) const {
    const bool by_domain = public_url_.empty() || !config_.domain.empty();
    return (by_domain ? "https://" + domain_ : public_url_) + std::string(path);
}

// It lies in the store as the key's text, then the certificate's. Another domain has another one.
cdp::Result<Credentials> OpenDsr::own_credentials() const {
    const auto make = [this]() -> cdp::Result<std::string> {
        const auto made = CDP_TRY(make_self_signed(domain_, clock_.now()));
        return made.key + made.certificate;
    };
    auto text =
        CDP_TRY(platform_.privacy().secrets.find_or_make(std::string(kSecret) + domain_, make));
    const auto cut = std::min(text.find(kCertificateMark), text.size());
    Credentials out{.key = text.substr(0, cut), .certificate = text.substr(cut)};
    wipe(text);
    return out;
}

cdp::Result<const OpenDsrSigner*> OpenDsr::signer() const {
    const std::lock_guard lock(mutex_);
    if (!signer_ && config_.key.empty()) {
        const auto own = CDP_TRY(own_credentials());
        signer_ = CDP_TRY(OpenDsrSigner::make(own, domain_));
    } else if (!signer_) {
        signer_ = CDP_TRY(configured_signer(config_, public_url_, clock_.now()));
    }
    ready_ = signer_.get();
    return signer_.get();
}

cdp::Result<const IabSigner*> OpenDsr::iab_signer() const {
    const std::lock_guard lock(mutex_);
    if (!iab_signer_) {
        auto seed = CDP_TRY(platform_.privacy().secrets.find_or_make(kIabSecret, [] {
            return cdp::Result<std::string>(storage::random_bytes(kIabSeedBytes));
        }));
        iab_signer_ = std::make_unique<IabSigner>(seed);
        wipe(seed);
    }
    iab_ready_ = iab_signer_.get();
    return iab_signer_.get();
}

cdp::Result<std::unique_ptr<OpenDsrSigner>> configured_signer(const OpenDsrConfig& config,
                                                              const std::string& public_url,
                                                              cdp::Timestamp now) {
    Credentials given;
    given.key = CDP_TRY(storage::read_secret_file(config.key, "key", kPemBytesMax));
    given.certificate = CDP_TRY(read_file(config.certificate));
    auto signer = CDP_TRY(OpenDsrSigner::make(given, domain_for(config, public_url)));
    if (!is_valid_at(CDP_TRY(read_certificate(given.certificate)), now))
        return cdp::Error{cdp::ErrorCode::invalid_argument,
                          "certificate_not_in_force",
                          "The certificate has expired, or is not in force yet.",
                          {},
                          {}};
    return signer;
}

}  // namespace api
