#include "api/opendsr_signature.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <catch2/catch.hpp>

#include "consent/base64.h"
#include "tests/api/certificates.h"
#include "tests/api/opendsr_verify.h"

namespace {

using namespace std::chrono_literals;

const std::string kBody = R"({"request_status":"completed"})";

std::unique_ptr<api::OpenDsrSigner> signer() {
    auto made = api::OpenDsrSigner::make(tests::local_credentials(), "localhost");
    REQUIRE(made);
    return *std::move(made);
}

std::string verdict(const tests::SignedHeaders& headers, std::string_view body,
                    std::string_view domain = "localhost", cdp::Timestamp now = {}) {
    const auto certificate = api::read_certificate(tests::local_credentials().certificate).value();
    if (now == cdp::Timestamp{}) now = cdp::SystemClock{}.now();
    const auto verified = tests::verify_opendsr_signature(
        headers, body, {.domain = domain, .certificate = certificate}, now);
    if (verified) return "good";
    CHECK(verified.error().code == cdp::ErrorCode::forbidden);
    return verified.error().reason;
}

TEST_CASE("what we sign verifies, and nothing else does") {
    const auto mine = signer();
    const auto signature = mine->sign(kBody);
    CHECK(mine->sign(kBody) == signature);
    // Remembered or not.
    for (int i = 0; i < 200; ++i) {
        const auto other = kBody + std::to_string(i % 70);
        CHECK(verdict({"localhost", mine->sign_repeated(other)}, other) == "good");
    }
    CHECK(mine->self_signed());
    CHECK(verdict({"localhost", signature}, kBody) == "good");
    CHECK(verdict({"LocalHost", signature}, kBody) == "good");
    CHECK(verdict({"localhost", signature}, kBody + " ") == "signature_wrong");
    CHECK(verdict({"localhost", signature}, "") == "signature_wrong");
    CHECK(verdict({"localhost", signature.substr(4)}, kBody) == "signature_wrong");
    CHECK(verdict({"localhost", "not base64!"}, kBody) == "signature_wrong");
    CHECK(verdict({"localhost", ""}, kBody) == "signature_missing");
    CHECK(verdict({"", signature}, kBody) == "signature_missing");
    CHECK(verdict({"evil.example", signature}, kBody) == "domain_untrusted");
    CHECK(verdict({"evil.example", signature}, kBody, "evil.example") == "certificate_untrusted");
    CHECK(verdict({"localhost", signature}, kBody, "localhost",
                  cdp::SystemClock{}.now() + std::chrono::days(3700)) == "certificate_untrusted");
}

TEST_CASE("others may sign with PSS") {
    const auto key = api::read_private_key(tests::local_credentials().key).value();
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free);
    EVP_PKEY_CTX* options = nullptr;
    REQUIRE(EVP_DigestSignInit(context.get(), &options, EVP_sha256(), nullptr, key.get()) == 1);
    REQUIRE(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1);
    std::string signature(1024, '\0');
    std::size_t size = signature.size();
    REQUIRE(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                           reinterpret_cast<const unsigned char*>(kBody.data()),
                           kBody.size()) == 1);
    signature.resize(size);
    CHECK(verdict({"localhost", consent::to_base64(signature)}, kBody) == "good");
}

TEST_CASE("a signer has a key, its certificate and the domain that this names") {
    const auto reason = [](const api::Credentials& credentials, const char* domain) {
        const auto made = api::OpenDsrSigner::make(credentials, domain);
        return made ? "made" : made.error().reason;
    };
    auto credentials = tests::local_credentials();
    CHECK(reason(credentials, "localhost") == "made");
    CHECK(reason(credentials, "shop.example") == "certificate_foreign");
    credentials.certificate =
        api::make_self_signed("localhost", cdp::SystemClock{}.now())->certificate;
    CHECK(reason(credentials, "localhost") == "certificate_foreign");
    credentials.certificate = "none";
    CHECK(reason(credentials, "localhost") == "certificate_malformed");
    credentials.key = "none";
    CHECK(reason(credentials, "localhost") == "key_malformed");
}

}  // namespace
