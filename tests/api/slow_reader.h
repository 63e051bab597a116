#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

namespace tests {

// A client that takes what it is given in small pieces, or not at all.
class SlowReader {
public:
    explicit SlowReader(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
        const int small = 4096;
        ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    }
    ~SlowReader() { ::close(descriptor_); }
    SlowReader(const SlowReader&) = delete;
    SlowReader& operator=(const SlowReader&) = delete;

    void send(std::string_view bytes) {
        REQUIRE(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(bytes.size()));
    }
    // At most so many bytes; "" at the end.
    std::string take(std::size_t most) {
        std::string out(most, '\0');
        const auto n = ::recv(descriptor_, out.data(), most, 0);
        out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        return out;
    }
    std::size_t take_all() {
        std::size_t all = 0;
        for (auto some = take(65536); !some.empty(); some = take(65536)) all += some.size();
        return all;
    }

private:
    int descriptor_;
};

}  // namespace tests
