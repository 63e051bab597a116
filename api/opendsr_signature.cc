#include "api/opendsr_signature.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <optional>

#include "cdp/base/assert.h"
#include "consent/base64.h"

namespace api {
namespace {

constexpr int kKeyBitsMin = 2048;
constexpr std::size_t kRememberedMax = 64;
constexpr std::size_t kRememberedBytesMax = 2048;

using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

cdp::Error refused(std::string reason, std::string message) {
    return {cdp::ErrorCode::forbidden, std::move(reason), std::move(message), {}, {}};
}

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

// nullopt: a kind of key that nobody signs so with.
std::optional<bool> holds(EVP_PKEY* key, std::string_view body, std::string_view signature,
                          int padding) {
    const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    EVP_PKEY_CTX* options = nullptr;
    if (!context ||
        EVP_DigestVerifyInit(context.get(), &options, EVP_sha256(), nullptr, key) != 1 ||
        (padding != 0 && EVP_PKEY_CTX_set_rsa_padding(options, padding) != 1) ||
        (padding == RSA_PKCS1_PSS_PADDING &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_AUTO) != 1))
        return std::nullopt;
    return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(body),
                            body.size()) == 1;
}

bool is_signed(EVP_PKEY* key, std::string_view body, std::string_view signature) {
    bool good = false;
    switch (EVP_PKEY_get_base_id(key)) {
        case EVP_PKEY_RSA:
            good = EVP_PKEY_get_bits(key) >= kKeyBitsMin &&
                   (holds(key, body, signature, RSA_PKCS1_PADDING).value_or(false) ||
                    holds(key, body, signature, RSA_PKCS1_PSS_PADDING).value_or(false));
            break;
        case EVP_PKEY_EC: good = holds(key, body, signature, 0).value_or(false); break;
        default: break;
    }
    ERR_clear_error();
    return good;
}

// A header field holds no line breaks, but who copies the specification's example sends spaces.
std::optional<std::string> decoded(std::string_view header) {
    std::string text(header);
    std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
    return consent::from_base64(text);
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
    const bool remember = body.size() <= kRememberedBytesMax;
    if (remember) {
        const std::lock_guard lock(mutex_);
        if (const auto known = remembered_.find(std::string(body)); known != remembered_.end())
            return known->second;
    }
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
    auto text = consent::to_base64(signature);
    if (remember) {
        const std::lock_guard lock(mutex_);
        if (remembered_.size() >= kRememberedMax) remembered_.clear();
        remembered_.emplace(body, text);
    }
    return text;
}

cdp::Result<void> verify_opendsr_signature(const SignedHeaders& headers, std::string_view body,
                                           const ExpectedSigner& expected, cdp::Timestamp now) {
    if (headers.domain.empty() || headers.signature.empty())
        return refused("signature_missing", "The message is not signed.");
    const bool same = std::ranges::equal(headers.domain, expected.domain, [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == (b >= 'A' && b <= 'Z' ? b | 0x20 : b);
    });
    if (!same) return refused("domain_untrusted", "The message comes from another domain.");
    if (!names(expected.certificate, expected.domain) || !is_valid_at(expected.certificate, now))
        return refused("certificate_untrusted",
                       "The certificate is not in force, or not of the domain.");
    const auto signature = decoded(headers.signature);
    auto* key = X509_get0_pubkey(expected.certificate.get());
    if (!signature || !key || !is_signed(key, body, *signature))
        return refused("signature_wrong", "The signature is not one of this message.");
    return cdp::Result<void>::ok();
}

}  // namespace api
