#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cdp/base/result.h"
#include "cdp/base/time.h"

struct evp_pkey_st;
struct x509_st;

// Private keys and X.509 certificates, in PEM.
namespace api {

using PrivateKey = std::shared_ptr<evp_pkey_st>;
using Certificate = std::shared_ptr<x509_st>;

// Overwrites what is secret.
void wipe(std::string& text);

// What something is signed with, and by what others check it. The key is wiped when it dies.
struct Credentials {
    std::string key;          // PKCS #8
    std::string certificate;  // the key's own first, then those that vouch for it

    ~Credentials() { wipe(key); }
};

// A fresh RSA key of 3072 bits and a certificate for `domain` that is signed by the key itself,
// valid for 10 years from the day before `now`. Takes up to a second.
cdp::Result<Credentials> make_self_signed(std::string_view domain, cdp::Timestamp now);

// Errors, all invalid_argument: key_malformed, certificate_malformed.
cdp::Result<PrivateKey> read_private_key(std::string_view pem);
// The first of the file.
cdp::Result<Certificate> read_certificate(std::string_view pem);

// Whether the certificate is for the key, and names the domain.
bool belongs(const Certificate& certificate, const PrivateKey& key);
bool names(const Certificate& certificate, std::string_view domain);
bool is_valid_at(const Certificate& certificate, cdp::Timestamp now);
cdp::Timestamp expiry_of(const Certificate& certificate);
bool is_self_signed(const Certificate& certificate);

}  // namespace api
