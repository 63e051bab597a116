#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>

struct ssl_st;
struct ssl_ctx_st;

namespace api {

namespace asio = boost::asio;

// TCP and the admin socket alike.
using Socket = asio::generic::stream_protocol::socket;

// The bytes of a connection: those of its socket, or what TLS makes of them. Plain, each call is
// the socket's own. For one thread.
class Wire {
public:
    using Error = boost::system::error_code;
    using Read = std::tuple<Error, std::size_t>;

    // `tls` nullptr: plain. Takes a connected socket and makes it non-blocking.
    Wire(Socket socket, ssl_ctx_st* tls);
    Wire(Wire&&) noexcept;
    ~Wire();

    bool is_secured() const { return tls_ != nullptr; }

    // False: the other side broke it off, wants nothing that is served, or speaks no TLS.
    asio::awaitable<bool> shake_hands();

    // At least one byte, or an error: the end, a broken connection, cancel(). Whoever sends without
    // a pause does not keep the thread: others have turns in between.
    asio::awaitable<Read> read_some(asio::mutable_buffer space);
    // The same without TLS: for bytes that nobody looks at.
    asio::awaitable<Read> read_raw(asio::mutable_buffer space);

    // As much of both, one behind the other, as is taken now; would_block when that is nothing.
    // What was not taken is offered again, unchanged.
    std::size_t write_some(asio::const_buffer first, asio::const_buffer second, Error& error);
    asio::awaitable<std::tuple<Error>> writable();

    // Bytes that were written and that the other side's system has not acknowledged.
    std::size_t unacknowledged();

    // Says in TLS that nothing follows, so that whoever reads to the end knows that it is whole.
    void say_goodbye();
    void stop_sending();
    void cancel();
    // Ends both directions.
    void cut();

private:
    struct Free {
        void operator()(ssl_st* tls) const;
    };

    asio::awaitable<Read> read_secured(asio::mutable_buffer space);
    std::size_t write_secured(asio::const_buffer piece, Error& error);
    // What to wait for before the call that gave `done` can go on; none when it never will.
    std::optional<Socket::wait_type> next_turn(int done);

    Socket socket_;
    std::unique_ptr<ssl_st, Free> tls_;
    int unwaited_ = 0;   // reads in a row for which nobody waited
    bool open_ = false;  // hands were shaken, and nothing has failed since
};

}  // namespace api
