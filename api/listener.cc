#include "api/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

namespace api {
namespace {

constexpr int kBacklog = 4096;
constexpr int kPauseMilliseconds = 100;
// What the system holds for a reader that takes nothing, beyond what is under way to it. Without
// it, it would take megabytes off our hands, where no limit of ours sees them.
constexpr int kUnsentBytesMax = 128 * 1024;

cdp::Error address_unusable(const char* why) {
    return {cdp::ErrorCode::unavailable,
            "address_unusable",
            std::string("The address cannot be listened on: ") + why + ".",
            {},
            {}};
}

cdp::Error admin_unusable(const char* what) {
    return {
        cdp::ErrorCode::unavailable,
        "admin_socket_unusable",
        std::string("The admin socket cannot be made: ") + what + ": " + std::strerror(errno) + ".",
        {},
        {}};
}

// FOLDER/admin.sock by way of an open folder: an address holds 107 bytes, a path more.
struct AdminAddress {
    explicit AdminAddress(const std::string& path)
        : folder(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
        address.sun_family = AF_UNIX;
        std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/admin.sock",
                      folder);
    }
    ~AdminAddress() {
        if (folder >= 0) ::close(folder);
    }
    AdminAddress(const AdminAddress&) = delete;
    AdminAddress& operator=(const AdminAddress&) = delete;

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }

    int folder;
    sockaddr_un address{};
};

sockaddr_storage local_address(const ListeningSocket& socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(socket.descriptor(), reinterpret_cast<sockaddr*>(&address), &size);
    return address;
}

bool set_option(int descriptor, int level, int option, int value = 1) {
    return ::setsockopt(descriptor, level, option, &value, sizeof value) == 0;
}

// Without one a listener would never end.
int stop_event() {
    const int event = ::eventfd(0, EFD_CLOEXEC);
    if (event < 0) throw std::system_error(errno, std::system_category(), "eventfd");
    return event;
}

}  // namespace

ListeningSocket& ListeningSocket::operator=(ListeningSocket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

ListeningSocket::~ListeningSocket() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

cdp::Result<ListeningSocket> listen_tcp(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found))
        return address_unusable(::gai_strerror(error));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);

    ListeningSocket socket(
        ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket.descriptor() < 0 || !set_option(socket.descriptor(), SOL_SOCKET, SO_REUSEADDR) ||
        ::bind(socket.descriptor(), found->ai_addr, found->ai_addrlen) != 0 ||
        ::listen(socket.descriptor(), kBacklog) != 0)
        return address_unusable(std::strerror(errno));
    // Connections inherit it.
    set_option(socket.descriptor(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentBytesMax);
    return socket;
}

std::uint16_t port_of(const ListeningSocket& socket) {
    const auto address = local_address(socket);
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
    return ntohs(address.ss_family == AF_INET6 ? v6->sin6_port : v4->sin_port);
}

bool is_loopback(const ListeningSocket& socket) {
    const auto address = local_address(socket);
    if (address.ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(&address)->sin6_addr);
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
}

cdp::Result<ListeningSocket> listen_admin(const std::string& folder) {
    const AdminAddress address(folder);
    if (address.folder < 0) return admin_unusable("open");
    ListeningSocket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket.descriptor() < 0) return admin_unusable("socket");
    // Only the owner of the data folder's lock gets here, so nobody listens on what is left.
    ::unlinkat(address.folder, "admin.sock", 0);
    const auto mask = ::umask(0177);
    const int bound = ::bind(socket.descriptor(), address.get(), sizeof address.address);
    ::umask(mask);
    if (bound != 0) return admin_unusable("bind");
    if (::listen(socket.descriptor(), kBacklog) != 0) return admin_unusable("listen");
    return socket;
}

int connect_admin(const std::string& folder) {
    const AdminAddress address(folder);
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    if (::connect(descriptor, address.get(), sizeof address.address) == 0) return descriptor;
    ::close(descriptor);
    return -1;
}

std::int64_t peer_uid(int descriptor) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return -1;
    return credentials.uid;
}

Listener::Listener(ListeningSocket tcp, ListeningSocket admin, Accepted accepted)
    : tcp_(std::move(tcp)),
      admin_(std::move(admin)),
      accepted_(std::move(accepted)),
      stop_(stop_event()),
      thread_([this] { run(); }) {}

Listener::~Listener() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(stop_, &one, sizeof one);
    thread_.join();
    ::close(stop_);
}

void Listener::run() {
    // poll() passes over negative descriptors.
    std::array<pollfd, 3> waits{
        {{stop_, POLLIN, 0}, {tcp_.descriptor(), POLLIN, 0}, {admin_.descriptor(), POLLIN, 0}}};
    for (;;) {
        if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) return;
        if (waits[0].revents != 0) return;
        for (std::size_t i = 1; i < waits.size(); ++i) {
            if ((waits[i].revents & POLLIN) == 0) continue;
            const bool tcp = i == 1;
            sockaddr_storage peer{};
            socklen_t size = sizeof peer;
            const int accepted = ::accept4(waits[i].fd, reinterpret_cast<sockaddr*>(&peer), &size,
                                           SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (accepted >= 0) {
                if (tcp) set_option(accepted, IPPROTO_TCP, TCP_NODELAY);
                accepted_(accepted, tcp, address_of(peer));
            } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                ::poll(waits.data(), 1, kPauseMilliseconds);
            }
        }
    }
}

}  // namespace api
