#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/certificate.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "consent/base64.h"

// What a controller does with OpenDSR's answers and callbacks.
namespace tests {

using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

// What came with a message: the two headers, as they stand.
struct SignedHeaders {
    std::string_view domain;
    std::string_view signature;
};

// Whom one expects: the domain that is known and the certificate kept for it.
struct ExpectedSigner {
    std::string_view domain;
    const api::Certificate& certificate;
};

inline cdp::Error not_signed(std::string reason, std::string message) {
    return {cdp::ErrorCode::forbidden, std::move(reason), std::move(message), {}, {}};
}

inline const unsigned char* octets(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

// nullopt: a kind of key that nobody signs so with.
inline std::optional<bool> holds(EVP_PKEY* key, std::string_view body, std::string_view signature,
                                 int padding) {
    const DigestContext context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    EVP_PKEY_CTX* options = nullptr;
    if (!context ||
        EVP_DigestVerifyInit(context.get(), &options, EVP_sha256(), nullptr, key) != 1 ||
        (padding != 0 && EVP_PKEY_CTX_set_rsa_padding(options, padding) != 1) ||
        (padding == RSA_PKCS1_PSS_PADDING &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_AUTO) != 1))
        return std::nullopt;
    return EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(body),
                            body.size()) == 1;
}

inline bool is_signed(EVP_PKEY* key, std::string_view body, std::string_view signature) {
    bool good = false;
    switch (EVP_PKEY_get_base_id(key)) {
        case EVP_PKEY_RSA:
            good = EVP_PKEY_get_bits(key) >= 2048 &&
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
inline std::optional<std::string> decoded(std::string_view header) {
    std::string text(header);
    std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
    return consent::from_base64(text);
}

// In the order that the protocol prescribes, before anything of the body is read: the domain is the
// one expected, its certificate names it and is in force, and the signature is that of the bytes.
// signature_missing, domain_untrusted, certificate_untrusted, signature_wrong.
inline cdp::Result<void> verify_opendsr_signature(const SignedHeaders& headers,
                                                  std::string_view body,
                                                  const ExpectedSigner& expected,
                                                  cdp::Timestamp now) {
    if (headers.domain.empty() || headers.signature.empty())
        return not_signed("signature_missing", "The message is not signed.");
    const bool same = std::ranges::equal(headers.domain, expected.domain, [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == (b >= 'A' && b <= 'Z' ? b | 0x20 : b);
    });
    if (!same) return not_signed("domain_untrusted", "The message comes from another domain.");
    if (!api::names(expected.certificate, expected.domain) ||
        !api::is_valid_at(expected.certificate, now))
        return not_signed("certificate_untrusted",
                          "The certificate is not in force, or not of the domain.");
    const auto signature = decoded(headers.signature);
    auto* key = X509_get0_pubkey(expected.certificate.get());
    if (!signature || !key || !is_signed(key, body, *signature))
        return not_signed("signature_wrong", "The signature is not one of this message.");
    return cdp::Result<void>::ok();
}

}  // namespace tests
