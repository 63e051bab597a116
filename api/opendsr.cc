#include "api/opendsr.h"

#include <fcntl.h>

#include <cerrno>

#include "api/url.h"
#include "cdp/own_secrets.h"
#include "cdp/privacy.h"
#include "storage/file.h"

namespace api {
namespace {

constexpr std::size_t kPemBytesMax = 64 * 1024;
constexpr std::string_view kSecret = "opendsr ";
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

// One of its own lies in the store as the key's text, then the certificate's. Another domain has
// another one.
cdp::Result<Credentials> OpenDsr::credentials() const {
    if (!config_.key.empty()) {
        auto key = CDP_TRY(storage::read_secret_file(config_.key, "key", kPemBytesMax));
        return Credentials{.key = std::move(key),
                           .certificate = CDP_TRY(read_file(config_.certificate))};
    }
    const auto make = [this]() -> cdp::Result<std::string> {
        const auto made = CDP_TRY(make_self_signed(domain_, clock_.now()));
        return made.key + made.certificate;
    };
    const auto text =
        CDP_TRY(platform_.privacy().secrets.find_or_make(std::string(kSecret) + domain_, make));
    const auto cut = std::min(text.find(kCertificateMark), text.size());
    return Credentials{.key = text.substr(0, cut), .certificate = text.substr(cut)};
}

cdp::Result<const OpenDsrSigner*> OpenDsr::signer() const {
    const std::lock_guard lock(mutex_);
    if (!signer_) {
        const auto own = CDP_TRY(credentials());
        signer_ = CDP_TRY(OpenDsrSigner::make(own, domain_));
    }
    return signer_.get();
}

}  // namespace api
