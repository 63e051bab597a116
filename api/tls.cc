#include "api/tls.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "api/certificate.h"
#include "storage/file.h"

namespace api {
namespace {

constexpr std::size_t kFileBytesMax = 1024 * 1024;
constexpr int kSecurityLevel = 2;  // RSA from 2,048 bits, no SHA-1
constexpr char kSuites[] = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL";
constexpr char kGroups[] = "X25519:P-256:P-384";

cdp::Error refused(const char* reason, const std::string& file, const char* why) {
    ERR_clear_error();
    return {cdp::ErrorCode::invalid_argument, reason, file + ": " + why, {}, {}};
}

bool is_private(const struct stat& file) {
    const auto others = file.st_mode & (S_IRWXO | S_IWGRP | S_IXGRP);
    if (others != 0) return false;
    return file.st_uid == 0 || (file.st_uid == ::geteuid() && (file.st_mode & S_IRGRP) == 0);
}

cdp::Result<std::string> read_certificates(const std::string& path) {
    const storage::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.ok())
        return refused("tls_certificate_unreadable", path, "The certificate cannot be read.");
    auto bytes = storage::read_all(file.number(), kFileBytesMax);
    if (!bytes)
        return refused("tls_certificate_unreadable", path, "The certificate cannot be read.");
    return bytes;
}

cdp::Result<std::string> read_key(const std::string& path) {
    const storage::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status{};
    if (!file.ok() || ::fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode))
        return refused("tls_key_unreadable", path, "The key cannot be read.");
    if (!is_private(status))
        return refused(
            "tls_key_exposed", path,
            "The key may be read by its owner alone, or when that is root by its group.");
    auto bytes = storage::read_all(file.number(), kFileBytesMax);
    if (!bytes) return refused("tls_key_unreadable", path, "The key cannot be read.");
    return bytes;
}

// The first that we serve, in the order of the client.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                    unsigned in_size, void*) {
    static constexpr unsigned char kOurs[] = "\x08http/1.1";  // the answer points into it
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, size, kOurs, sizeof kOurs - 1, in, in_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

TlsContext make_context() {
    TlsContext context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
    auto* raw = context.get();
    if (!raw || SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(raw, kSuites) != 1 || SSL_CTX_set1_groups_list(raw, kGroups) != 1 ||
        SSL_CTX_set_num_tickets(raw, 0) != 1)
        return nullptr;
    SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_security_level(raw, kSecurityLevel);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    // Else one read takes in messages that carry no data for as long as they come.
    SSL_CTX_clear_mode(raw, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
    return context;
}

// Whoever vouches for the first certificate of the file, in its order.
bool add_chain(ssl_ctx_st* context, const std::string& pem) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> in(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    if (!in) return false;
    for (bool first = true;; first = false) {
        Certificate next(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), &X509_free);
        if (!next) break;
        if (!first && SSL_CTX_add1_chain_cert(context, next.get()) != 1) return false;
    }
    // The end of the file is told as an error too.
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return at_end;
}

}  // namespace

cdp::Result<TlsPair> read_tls_pair(const TlsFiles& files, cdp::Timestamp now) {
    const auto chain = CDP_TRY(read_certificates(files.certificate));
    auto secret = CDP_TRY(read_key(files.key));
    const auto certificate = read_certificate(chain);
    if (!certificate)
        return refused("tls_certificate_malformed", files.certificate,
                       "A certificate in PEM is expected.");
    const auto key = read_private_key(secret);
    OPENSSL_cleanse(secret.data(), secret.size());
    if (!key)
        return refused("tls_key_malformed", files.key,
                       "A private key in PEM, without a pass phrase, is expected.");
    if (!belongs(*certificate, *key))
        return refused("tls_pair_mismatch", files.key, "The key is not that of the certificate.");
    if (!is_valid_at(*certificate, now))
        return refused("tls_certificate_not_valid", files.certificate,
                       "The certificate is not valid now.");
    auto context = make_context();
    if (!context || SSL_CTX_use_certificate(context.get(), certificate->get()) != 1 ||
        SSL_CTX_use_PrivateKey(context.get(), key->get()) != 1 || !add_chain(context.get(), chain))
        return refused("tls_certificate_malformed", files.certificate,
                       "The certificates cannot be served: one is damaged, or its key too weak.");
    return TlsPair{.context = std::move(context), .expires = expiry_of(*certificate)};
}

}  // namespace api
