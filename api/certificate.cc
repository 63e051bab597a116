#include "api/certificate.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <ctime>

#include "storage/random.h"

namespace api {
namespace {

constexpr unsigned kKeyBits = 3072;
constexpr std::chrono::days kLife{3650};
constexpr std::size_t kSerialBytes = 16;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Extension = std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)>;

Bio reading(std::string_view text) {
    return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

cdp::Error malformed(std::string reason, std::string message) {
    ERR_clear_error();
    return {cdp::ErrorCode::invalid_argument, std::move(reason), std::move(message), {}, {}};
}

cdp::Error unmade() {
    ERR_clear_error();
    return {
        cdp::ErrorCode::unavailable, "certificate_unmade", "No certificate can be made.", {}, {}};
}

std::time_t seconds_of(cdp::Timestamp time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

bool add_extension(X509* certificate, int kind, const std::string& value) {
    const Extension extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()),
                              &X509_EXTENSION_free);
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
    auto random = storage::random_bytes(kSerialBytes);
    random[0] = static_cast<char>((random[0] & 0x3f) | 0x40);  // positive, of one length
    const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(
        BN_bin2bn(reinterpret_cast<const unsigned char*>(random.data()), kSerialBytes, nullptr),
        &BN_free);
    return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
}

bool fill(X509* certificate, EVP_PKEY* key, const std::string& domain, cdp::Timestamp now) {
    auto* name = X509_get_subject_name(certificate);
    return X509_set_version(certificate, 2) == 1 && set_serial(certificate) &&
           ASN1_TIME_set(X509_getm_notBefore(certificate),
                         seconds_of(now - std::chrono::days(1))) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), seconds_of(now + kLife)) != nullptr &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(domain.data()),
                                      static_cast<int>(domain.size()), -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           add_extension(certificate, NID_subject_alt_name, "DNS:" + domain) &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

}  // namespace

void wipe(std::string& text) {
    OPENSSL_cleanse(text.data(), text.size());
}

cdp::Result<Credentials> make_self_signed(std::string_view domain, cdp::Timestamp now) {
    const PrivateKey key(EVP_RSA_gen(kKeyBits), &EVP_PKEY_free);
    const Certificate certificate(X509_new(), &X509_free);
    // A common name holds 64 characters; the domain itself is in the alternative name too.
    if (!key || !certificate || domain.size() > 64 ||
        !fill(certificate.get(), key.get(), std::string(domain), now))
        return unmade();
    const Bio out(BIO_new(BIO_s_mem()), &BIO_free);
    const Bio secret(BIO_new(BIO_s_secmem()), &BIO_free);
    if (!out || !secret || PEM_write_bio_X509(out.get(), certificate.get()) != 1 ||
        PEM_write_bio_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
            1)
        return unmade();
    return Credentials{.key = text_of(secret.get()), .certificate = text_of(out.get())};
}

cdp::Result<PrivateKey> read_private_key(std::string_view pem) {
    const auto in = reading(pem);
    // A file with a pass phrase is not asked for one.
    const auto none = [](char*, int, int, void*) { return -1; };
    PrivateKey key(in ? PEM_read_bio_PrivateKey(in.get(), nullptr, none, nullptr) : nullptr,
                   &EVP_PKEY_free);
    if (!key) return malformed("key_malformed", "A private key in PEM is expected.");
    return key;
}

cdp::Result<Certificate> read_certificate(std::string_view pem) {
    const auto in = reading(pem);
    Certificate certificate(in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr,
                            &X509_free);
    if (!certificate)
        return malformed("certificate_malformed", "A certificate in PEM is expected.");
    return certificate;
}

bool belongs(const Certificate& certificate, const PrivateKey& key) {
    const bool same = X509_check_private_key(certificate.get(), key.get()) == 1;
    ERR_clear_error();
    return same;
}

bool names(const Certificate& certificate, std::string_view domain) {
    return X509_check_host(certificate.get(), domain.data(), domain.size(), 0, nullptr) == 1;
}

bool is_valid_at(const Certificate& certificate, cdp::Timestamp now) {
    auto at = seconds_of(now);
    return X509_cmp_time(X509_get0_notBefore(certificate.get()), &at) < 0 &&
           X509_cmp_time(X509_get0_notAfter(certificate.get()), &at) > 0;
}

cdp::Timestamp expiry_of(const Certificate& certificate) {
    std::tm time{};
    ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &time);
    return cdp::Timestamp(std::chrono::seconds(::timegm(&time)));
}

bool is_self_signed(const Certificate& certificate) {
    return X509_self_signed(certificate.get(), /*verify_signature=*/0) == 1;
}

}  // namespace api
