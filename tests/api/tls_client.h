#pragma once

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <string_view>

#include "cdp/base/assert.h"

namespace tests {

// What a client offers.
struct TlsOffer {
    int lowest = TLS1_2_VERSION;
    int highest = TLS1_3_VERSION;
    const char* suites = nullptr;  // of TLS 1.2
    std::string protocols = {};    // by ALPN, each behind its length
    bool weak = false;             // what OpenSSL no longer offers by itself
};

// A connection of TLS that blocks, for at most 20 seconds. May be used on any thread.
class TlsClient {
public:
    explicit TlsClient(std::uint16_t port, const TlsOffer& offer = {})
        : context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free),
          descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
        // OpenSSL writes to a socket that was closed as to any other.
        std::signal(SIGPIPE, SIG_IGN);
        auto* context = context_.get();
        if (offer.weak) SSL_CTX_set_security_level(context, 0);
        SSL_CTX_set_min_proto_version(context, offer.lowest);
        SSL_CTX_set_max_proto_version(context, offer.highest);
        if (offer.suites) SSL_CTX_set_cipher_list(context, offer.suites);
        tls_.reset(SSL_new(context));
        if (!offer.protocols.empty())
            SSL_set_alpn_protos(tls_.get(),
                                reinterpret_cast<const unsigned char*>(offer.protocols.data()),
                                static_cast<unsigned>(offer.protocols.size()));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const timeval patience{20, 0};
        ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        CDP_ASSERT(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) ==
                   0);
        SSL_set_fd(tls_.get(), descriptor_);
        shaken_ = SSL_connect(tls_.get()) == 1;
        if (!shaken_) refusal_ = reason();
    }
    ~TlsClient() {
        tls_.reset();
        ::close(descriptor_);
    }
    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;

    bool shaken() const { return shaken_; }
    // Of the other side, when hands were not shaken: "tlsv1 alert no application protocol".
    const std::string& refusal() const { return refusal_; }
    ssl_st* tls() { return tls_.get(); }
    int descriptor() const { return descriptor_; }

    TlsClient& send(std::string_view bytes) {
        while (!bytes.empty()) {
            std::size_t n = 0;
            if (SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &n) != 1) break;
            bytes.remove_prefix(n);
        }
        return *this;
    }
    // What comes, up to and with `end`; to the last byte when that does not come.
    std::string read_until(std::string_view end) {
        while (in_.find(end) == in_.npos && more()) {
        }
        const auto at = in_.find(end);
        const auto size = at == in_.npos ? in_.size() : at + end.size();
        auto out = in_.substr(0, size);
        in_.erase(0, size);
        return out;
    }
    std::string read_to_end() {
        while (more()) {
        }
        return std::exchange(in_, {});
    }
    // The last byte was followed by a goodbye.
    bool ended_well() const { return ended_well_; }

    // The number of the certificate that the other side showed.
    std::string serial() const {
        const std::unique_ptr<X509, decltype(&X509_free)> shown(
            SSL_get1_peer_certificate(tls_.get()), &X509_free);
        if (!shown) return {};
        const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(
            ASN1_INTEGER_to_BN(X509_get_serialNumber(shown.get()), nullptr), &BN_free);
        char* text = BN_bn2hex(number.get());
        std::string out = text;
        OPENSSL_free(text);
        return out;
    }

private:
    bool more() {
        char bytes[16 * 1024];
        std::size_t n = 0;
        ERR_clear_error();
        if (SSL_read_ex(tls_.get(), bytes, sizeof bytes, &n) == 1) {
            in_.append(bytes, n);
            return true;
        }
        ended_well_ = SSL_get_error(tls_.get(), 0) == SSL_ERROR_ZERO_RETURN;
        return false;
    }
    static std::string reason() {
        const char* text = ERR_reason_error_string(ERR_peek_last_error());
        std::string out = text ? text : "";
        ERR_clear_error();
        return out;
    }

    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    struct Free {
        void operator()(SSL* tls) const { SSL_free(tls); }
    };
    std::unique_ptr<SSL, Free> tls_;
    int descriptor_;
    bool shaken_ = false;
    bool ended_well_ = false;
    std::string refusal_;
    std::string in_;
};

}  // namespace tests
