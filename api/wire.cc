#include "api/wire.h"

#include <linux/sockios.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstdint>
#include <new>
#include <utility>

namespace api {
namespace {

// Reads in a row that need not wait, before others on this thread have a turn.
constexpr int kUnwaitedMax = 16;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

int descriptor_of(BIO* bio) {
    return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

bool is_for_later() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL.
int send_bytes(BIO* bio, const char* bytes, std::size_t size, std::size_t* sent) {
    const auto n = ::send(descriptor_of(bio), bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    BIO_clear_retry_flags(bio);
    if (n < 0 && is_for_later()) BIO_set_retry_write(bio);
    *sent = n > 0 ? static_cast<std::size_t>(n) : 0;
    return n > 0 ? 1 : 0;
}

int receive_bytes(BIO* bio, char* bytes, std::size_t size, std::size_t* received) {
    const auto n = ::recv(descriptor_of(bio), bytes, size, MSG_DONTWAIT);
    BIO_clear_retry_flags(bio);
    if (n < 0 && is_for_later()) BIO_set_retry_read(bio);
    *received = n > 0 ? static_cast<std::size_t>(n) : 0;
    return n > 0 ? 1 : 0;
}

long control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_method() {
    auto* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
    BIO_meth_set_write_ex(method, send_bytes);
    BIO_meth_set_read_ex(method, receive_bytes);
    BIO_meth_set_ctrl(method, control);
    return method;
}

ssl_st* make_tls(ssl_ctx_st* context, int descriptor) {
    static BIO_METHOD* const method = make_method();
    auto* tls = SSL_new(context);
    auto* bio = BIO_new(method);
    if (!tls || !bio) throw std::bad_alloc();
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)));
    BIO_set_init(bio, 1);
    SSL_set_bio(tls, bio, bio);
    SSL_set_accept_state(tls);
    return tls;
}

}  // namespace

void Wire::Free::operator()(ssl_st* tls) const {
    SSL_free(tls);
}

Wire::Wire(Socket socket, ssl_ctx_st* tls) : socket_(std::move(socket)) {
    Error ignored;
    socket_.non_blocking(true, ignored);
    if (tls) tls_.reset(make_tls(tls, socket_.native_handle()));
}

Wire::Wire(Wire&&) noexcept = default;
Wire::~Wire() = default;

std::optional<Socket::wait_type> Wire::next_turn(int done) {
    switch (SSL_get_error(tls_.get(), done)) {
        case SSL_ERROR_WANT_READ: return Socket::wait_read;
        case SSL_ERROR_WANT_WRITE: return Socket::wait_write;
        case SSL_ERROR_ZERO_RETURN: return std::nullopt;
        default: open_ = false; return std::nullopt;
    }
}

asio::awaitable<bool> Wire::shake_hands() {
    for (;;) {
        ERR_clear_error();
        const int done = SSL_accept(tls_.get());
        if (done == 1) break;
        const auto turn = next_turn(done);
        if (!turn) co_return false;
        const auto direction = *turn;
        const auto [error] = co_await socket_.async_wait(direction, kToken);
        if (error) co_return false;
    }
    open_ = true;
    co_return true;
}

asio::awaitable<Wire::Read> Wire::read_raw(asio::mutable_buffer space) {
    return socket_.async_read_some(asio::mutable_buffers_1(space), kToken);
}

asio::awaitable<Wire::Read> Wire::read_some(asio::mutable_buffer space) {
    return tls_ ? read_secured(space) : read_raw(space);
}

asio::awaitable<Wire::Read> Wire::read_secured(asio::mutable_buffer space) {
    if (unwaited_ >= kUnwaitedMax) {
        unwaited_ = 0;
        co_await asio::post(asio::use_awaitable);
    }
    for (;;) {
        std::size_t n = 0;
        ERR_clear_error();
        const int done = SSL_read_ex(tls_.get(), space.data(), space.size(), &n);
        if (done == 1) {
            ++unwaited_;
            co_return Read(Error(), n);
        }
        unwaited_ = 0;
        const auto turn = next_turn(done);
        if (!turn) co_return Read(asio::error::eof, 0);
        const auto direction = *turn;
        const auto [error] = co_await socket_.async_wait(direction, kToken);
        if (error) co_return Read(error, 0);
    }
}

std::size_t Wire::write_some(asio::const_buffer first, asio::const_buffer second, Error& error) {
    if (tls_) return write_secured(first.size() > 0 ? first : second, error);
    if (second.size() == 0) return socket_.write_some(asio::const_buffers_1(first), error);
    return socket_.write_some(std::array<asio::const_buffer, 2>{first, second}, error);
}

std::size_t Wire::write_secured(asio::const_buffer piece, Error& error) {
    std::size_t n = 0;
    ERR_clear_error();
    const int done = SSL_write_ex(tls_.get(), piece.data(), piece.size(), &n);
    if (done == 1) return n;
    error = next_turn(done) ? Error(asio::error::would_block) : Error(asio::error::broken_pipe);
    return 0;
}

asio::awaitable<std::tuple<Wire::Error>> Wire::writable() {
    return socket_.async_wait(Socket::wait_write, kToken);
}

std::size_t Wire::unacknowledged() {
    int bytes = 0;
    const bool told = ::ioctl(socket_.native_handle(), SIOCOUTQ, &bytes) == 0 && bytes > 0;
    return told ? static_cast<std::size_t>(bytes) : 0;
}

void Wire::say_goodbye() {
    if (!std::exchange(open_, false)) return;
    ERR_clear_error();
    SSL_shutdown(tls_.get());
}

void Wire::stop_sending() {
    Error ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
}

void Wire::cancel() {
    Error ignored;
    socket_.cancel(ignored);
}

void Wire::cut() {
    Error ignored;
    socket_.cancel(ignored);
    socket_.shutdown(Socket::shutdown_both, ignored);
}

}  // namespace api
