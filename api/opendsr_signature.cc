#include "api/opendsr_signature.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "cdp/base/assert.h"
#include "consent/base64.h"

namespace api {
namespace {

constexpr int kKeyBitsMin = 2048;
constexpr std::size_t kRememberedMax = 64;

using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

cdp::Result<std::unique_ptr<OpenDsrSigner>> OpenDsrSigner::make(const Credentials& credentials,
                                                                std::string domain) {
    auto key = CDP_TRY(read_private_key(credentials.key));
    const auto certificate = CDP_TRY(read_certificate(credentials.certificate));
    const auto invalid = [](std::string reason, std::string message) {
        return cdp::Error{
            cdp::ErrorCode::invalid_argument, std::move(reason), std::move(message), {}, {}};
    };
    if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA ||
        EVP_PKEY_get_bits(key.get()) < kKeyBitsMin)
        return invalid("key_malformed", "An RSA key of 2048 bits or more is expected.");
    if (!belongs(certificate, key) || !names(certificate, domain))
        return invalid("certificate_foreign",
                       "The certificate must be of the key and name the domain.");
    const bool self_signed = is_self_signed(certificate);
    return std::unique_ptr<OpenDsrSigner>(
        new OpenDsrSigner(std::move(key), credentials.certificate, std::move(domain), self_signed));
}

std::string OpenDsrSigner::sign(std::string_view body) const {
    const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    CDP_ASSERT(context != nullptr);
    std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
    std::string signature(size, '\0');
    EVP_PKEY_CTX* options = nullptr;
    CDP_ASSERT(EVP_DigestSignInit(context.get(), &options, EVP_sha256(), nullptr, key_.get()) ==
                   1 &&
               EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PADDING) == 1 &&
               EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                              &size, bytes_of(body), body.size()) == 1);
    signature.resize(size);
    return consent::to_base64(signature);
}

std::string OpenDsrSigner::sign_repeated(std::string_view body) const {
    const auto hash = consent::sha256(body);
    {
        const std::lock_guard lock(mutex_);
        if (const auto known = remembered_.find(hash); known != remembered_.end())
            return known->second;
    }
    auto signature = sign(body);
    const std::lock_guard lock(mutex_);
    if (remembered_.size() >= kRememberedMax) remembered_.clear();
    remembered_.emplace(hash, signature);
    return signature;
}

}  // namespace api
