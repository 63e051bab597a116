#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/bench/commands.h"
#include "tests/bench/mix.h"

namespace bench {
namespace {

int connect_to(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        std::perror("connect");
        std::exit(1);
    }
    return fd;
}

bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

// Reads one response with a Content-Length; true when it is a 200 in which no event was refused.
bool read_answer(int fd, std::string& buffer) {
    buffer.clear();
    std::size_t need = 0;
    while (need == 0 || buffer.size() < need) {
        char chunk[65536];
        const auto n = ::recv(fd, chunk, sizeof chunk, 0);
        if (n <= 0) return false;
        buffer.append(chunk, static_cast<std::size_t>(n));
        const auto head = buffer.find("\r\n\r\n");
        if (need != 0 || head == std::string::npos) continue;
        const auto length = buffer.find("Content-Length: ");
        if (length == std::string::npos || length > head) return false;
        need = head + 4 + std::strtoull(buffer.c_str() + length + 16, nullptr, 10);
    }
    return buffer.starts_with("HTTP/1.1 200") && buffer.find("\"rejected\"") == std::string::npos &&
           buffer.find("\"duplicate\"") == std::string::npos;
}

std::string consents_body(std::uint64_t first) {
    std::string body = R"({"consents":[)";
    for (auto i = first; i < first + kBatchEvents; ++i) {
        if (i > first) body += ',';
        body += R"({"identifiers":[{"type":"email","value":"p)" + std::to_string(i) +
                R"(@shop.example"}],"purpose":"email_marketing","state":"granted"})";
    }
    return body + "]}";
}

std::vector<std::string> bodies_of(const LoadOptions& options) {
    if (options.what == Load::mix)
        return mixed_bodies(
            options.run, options.batches,
            {.people = options.people,
             .active =
                 options.active == 0 ? options.people : std::min(options.active, options.people)});
    std::vector<std::string> bodies;
    for (auto first = options.first; first < options.people; first += kBatchEvents)
        switch (options.what) {
            case Load::introductions: bodies.push_back(introduction(first)); break;
            case Load::acquaintances: bodies.push_back(acquaintance(first)); break;
            case Load::consents: bodies.push_back(consents_body(first)); break;
            case Load::hub: bodies.push_back(hub_body(first)); break;
            case Load::mix: break;
        }
    return bodies;
}

}  // namespace

bool run_load(const LoadOptions& options) {
    auto bodies = bodies_of(options);
    std::vector<std::string> requests;
    const std::string start =
        (options.what == Load::consents
             ? "POST /v1/consents HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer "
             : "POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Write-Key: ") +
        options.key;
    for (auto& body : bodies) {
        requests.push_back(start + "\r\nContent-Type: application/json\r\nContent-Length: " +
                           std::to_string(body.size()) + "\r\n\r\n" + body);
        std::string().swap(body);
    }

    std::atomic<std::size_t> next = 0;
    std::atomic<bool> good = true;
    std::vector<std::thread> clients;
    const auto began = std::chrono::steady_clock::now();
    for (std::size_t c = 0; c < options.connections; ++c)
        clients.emplace_back([&] {
            const int fd = connect_to(options.port);
            std::string buffer;
            for (std::size_t i = next++; i < requests.size() && good; i = next++)
                if (!send_all(fd, requests[i]) || !read_answer(fd, buffer)) {
                    std::fprintf(stderr, "unexpected answer: %.400s\n", buffer.c_str());
                    good = false;
                }
            ::close(fd);
        });
    for (auto& client : clients) client.join();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const auto events = requests.size() * kBatchEvents;
    std::printf("{\"events\":%zu,\"seconds\":%.4f,\"per_second\":%.1f}\n", events, took.count(),
                static_cast<double>(events) / took.count());
    return good;
}

}  // namespace bench
