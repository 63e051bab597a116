#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "api/address.h"
#include "cdp/base/result.h"

namespace api {

// A listening socket, closed when it dies.
class ListeningSocket {
public:
    ListeningSocket() = default;
    explicit ListeningSocket(int descriptor) : descriptor_(descriptor) {}
    ListeningSocket(ListeningSocket&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)) {}
    ListeningSocket& operator=(ListeningSocket&& other) noexcept;
    ~ListeningSocket();

    int descriptor() const { return descriptor_; }

private:
    int descriptor_ = -1;
};

// `host` is a numeric address or a name. Error: address_unusable.
cdp::Result<ListeningSocket> listen_tcp(const std::string& host, std::uint16_t port);
std::uint16_t port_of(const ListeningSocket& socket);
bool is_loopback(const ListeningSocket& socket);

// FOLDER/admin.sock, mode 0600, in place of one that was left behind. The folder's path may be
// longer than a socket's address can be. Error: admin_socket_unusable.
cdp::Result<ListeningSocket> listen_admin(const std::string& folder);
// Connects to it; -1 when nobody listens.
int connect_admin(const std::string& folder);

// The user at the other end of a Unix socket, or -1.
std::int64_t peer_uid(int descriptor);

// A thread that accepts on up to two sockets and hands each connection on. Out of descriptors, it
// waits instead of spinning.
class Listener {
public:
    using Accepted = std::function<void(int descriptor, bool tcp, const Address& peer)>;

    // Throws std::system_error without a descriptor or a thread to be had.
    Listener(ListeningSocket tcp, ListeningSocket admin, Accepted accepted);
    // Stops accepting; connections in the queue of the kernel are reset.
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

private:
    void run();

    ListeningSocket tcp_;
    ListeningSocket admin_;
    Accepted accepted_;
    int stop_ = -1;  // an eventfd
    std::thread thread_;
};

}  // namespace api
