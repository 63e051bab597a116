#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <thread>

#include "api/tls.h"
#include "api/wire.h"
#include "tests/api/certificates.h"
#include "tests/storage/folder.h"

#include <catch2/catch.hpp>

namespace {

namespace asio = boost::asio;

constexpr int kMessages = 100;  // of each kind: what systems buffer between two sockets

api::TlsPair pair_in(const tests::Folder& folder) {
    const auto& credentials = tests::local_credentials();
    std::ofstream(folder / "certificate.pem") << credentials.certificate;
    std::ofstream(folder / "key.pem") << credentials.key;
    ::chmod((folder / "key.pem").c_str(), 0600);
    auto pair = api::read_tls_pair({folder / "certificate.pem", folder / "key.pem"},
                                   cdp::SystemClock{}.now());
    REQUIRE(pair);
    return *std::move(pair);
}

// The other side of a wire.
class Peer {
public:
    explicit Peer(int descriptor)
        : descriptor_(descriptor),
          context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free),
          tls_(SSL_new(context_.get()), &SSL_free) {
        SSL_set_fd(tls_.get(), descriptor);
    }
    ~Peer() { ::close(descriptor_); }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    bool shake_hands() { return SSL_connect(tls_.get()) == 1; }
    bool renew_key() {
        return SSL_key_update(tls_.get(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
               SSL_do_handshake(tls_.get()) == 1;
    }
    bool send_byte() { return SSL_write(tls_.get(), "x", 1) == 1; }

private:
    const int descriptor_;
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    const std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
};

asio::awaitable<void> shake_hands(api::Wire& wire, bool& shaken) {
    shaken = co_await wire.shake_hands();
}

// How many turns others on this thread had before the first byte, and before the last.
struct Turns {
    int now = 0;
    int at_first = 0;
    int at_last = 0;
    bool over = false;
};

asio::awaitable<void> read_all(api::Wire& wire, Turns& turns) {
    char bytes[64];
    for (int read = 0; read < kMessages;) {
        const auto [error, n] = co_await wire.read_some(asio::buffer(bytes));
        if (error) break;
        if (read == 0) turns.at_first = turns.now;
        read += static_cast<int>(n);
        if (read >= kMessages) turns.at_last = turns.now;
    }
    turns.over = true;
}

}  // namespace

TEST_CASE("whoever sends without a pause leaves others on the thread their turns") {
    const tests::Folder folder;
    const auto pair = pair_in(folder);
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    Peer peer(ends[1]);
    asio::io_context context;
    api::Socket socket(context);
    socket.assign(asio::generic::stream_protocol(AF_UNIX, 0), ends[0]);
    api::Wire wire(std::move(socket), pair.context.get());

    bool shaken = false;
    bool agreed = false;
    std::thread shaking([&] { agreed = peer.shake_hands(); });
    asio::co_spawn(context, shake_hands(wire, shaken), asio::detached);
    context.run();
    shaking.join();
    REQUIRE((shaken && agreed));

    // All of it is there before anything is read.
    for (int i = 0; i < kMessages; ++i) REQUIRE(peer.renew_key());
    for (int i = 0; i < kMessages; ++i) REQUIRE(peer.send_byte());

    Turns turns;
    const std::function<void()> take_turn = [&] {
        ++turns.now;
        if (!turns.over) asio::post(context, take_turn);
    };
    context.restart();
    asio::post(context, take_turn);
    asio::co_spawn(context, read_all(wire, turns), asio::detached);
    context.run();
    CHECK(turns.at_first >= kMessages / 2);
    CHECK(turns.at_last >= turns.at_first + kMessages / 20);
}
