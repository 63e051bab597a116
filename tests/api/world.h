#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "api/limits.h"
#include "api/server.h"
#include "cdp/access.h"
#include "cdp/base/assert.h"
#include "cdp/platform.h"
#include "storage/memory_store.h"

namespace tests {

struct Reply {
    int status = 0;                              // 0: the connection ended first
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;

    nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
    std::string code() const { return json().value("code", ""); }
    // What a refusal says, in one line: 400 wrong_type /kind
    std::string refusal() const {
        const auto said = json();
        const auto place = said.value("pointer", "");
        return std::to_string(status) + " " + said.value("code", "") +
               (place.empty() ? "" : " " + place);
    }
    std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? "" : found->second;
    }
};

// May be used on any thread, so it aborts where a test would fail: Catch2's assertions are not
// thread-safe.
//
// A connection that sends what it is told and reads answers one by one.
class Wire {
public:
    explicit Wire(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        CDP_ASSERT(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) ==
                   0);
    }
    ~Wire() { ::close(descriptor_); }
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    Wire& send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto n = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) break;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return *this;
    }
    // Whether the server still takes them.
    bool sends(std::string_view bytes) {
        return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0;
    }
    void finish_sending() { ::shutdown(descriptor_, SHUT_WR); }
    void reset() {
        const linger now{1, 0};
        ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        ::close(descriptor_);
        descriptor_ = -1;
    }

    Reply read(bool to_head = false) {
        Reply reply;
        std::size_t end = 0;
        while ((end = in_.find("\r\n\r\n")) == in_.npos)
            if (!more()) return reply;
        read_head(in_.substr(0, end + 2), reply);
        in_.erase(0, end + 4);
        if (reply.status == 204 || reply.status == 100 || to_head) return reply;
        if (reply.header("transfer-encoding") == "chunked") {
            while (read_chunk(reply.body)) {
            }
            return reply;
        }
        if (!reply.headers.contains("content-length")) {
            while (more()) {
            }
            reply.body = std::exchange(in_, {});
            return reply;
        }
        const auto size = std::stoul(reply.header("content-length"));
        while (in_.size() < size)
            if (!more()) return reply;
        reply.body = in_.substr(0, size);
        in_.erase(0, size);
        return reply;
    }

    // The server ends the connection and says nothing more.
    bool closed() { return in_.empty() && !more(); }

private:
    bool more() {
        pollfd wait{descriptor_, POLLIN, 0};
        CDP_ASSERT(::poll(&wait, 1, 20'000) == 1);
        char bytes[16 * 1024];
        const auto n = ::recv(descriptor_, bytes, sizeof bytes, 0);
        if (n > 0) in_.append(bytes, static_cast<std::size_t>(n));
        return n > 0;
    }
    bool read_chunk(std::string& body) {
        std::size_t end = 0;
        while ((end = in_.find("\r\n")) == in_.npos)
            if (!more()) return false;
        const auto size = std::stoul(in_.substr(0, end), nullptr, 16);
        while (in_.size() < end + 2 + size + 2)
            if (!more()) return false;
        body += in_.substr(end + 2, size);
        in_.erase(0, end + 2 + size + 2);
        return size > 0;
    }
    static void read_head(std::string_view head, Reply& reply) {
        reply.status = std::stoi(std::string(head.substr(9, 3)));
        head.remove_prefix(head.find("\r\n") + 2);
        while (!head.empty()) {
            const auto line = head.substr(0, head.find("\r\n"));
            head.remove_prefix(line.size() + 2);
            std::string name(line.substr(0, line.find(':')));
            std::ranges::transform(name, name.begin(), [](unsigned char c) {
                return static_cast<char>(std::tolower(c));
            });
            reply.headers[name] = line.substr(line.find(':') + 2);
        }
    }

    int descriptor_;
    std::string in_;
};

inline api::Limits fast_limits() {
    api::Limits limits;
    limits.tick = std::chrono::milliseconds(10);
    limits.slow = 1000;  // on a busy machine everybody is slow
    return limits;
}

// A server on a store in memory, with one key of each role.
struct World {
    explicit World(const api::Limits& limits = fast_limits(), api::ServerOptions options = {},
                   std::unique_ptr<storage::Store> kept = storage::make_memory_store(),
                   std::unique_ptr<storage::Journal> journal = storage::make_memory_journal())
        : store(std::move(kept)) {
        auto loaded = cdp::Access::load(*store, vault);
        REQUIRE(loaded);
        access = *std::move(loaded);
        platform = std::make_unique<cdp::Platform>(*store, vault, clock, cdp::Config{},
                                                   std::move(journal));
        if (options.threads == 0) options.threads = 2;
        auto started = api::Server::start(*platform, *access, clock, options, limits);
        REQUIRE(started);
        server = *std::move(started);
        for (const auto role : {cdp::Role::source, cdp::Role::channel, cdp::Role::officer,
                                cdp::Role::steward, cdp::Role::admin})
            keys[role] = add(role, std::string(to_string(role)));
        till = add(cdp::Role::source, "till", cdp::Trust::server);
    }

    std::string add(cdp::Role role, std::string name, cdp::Trust trust = cdp::Trust::client) {
        auto key = access->add({.role = role,
                                .name = std::move(name),
                                .channel = role == cdp::Role::channel ? "email_tool" : "",
                                .trust = trust},
                               clock.now());
        REQUIRE(key);
        return *key;
    }

    Wire connect() const { return Wire(server->port()); }

    // One request on a connection of its own. `headers` end with CRLF each.
    Reply ask(std::string_view method, std::string_view target, std::string_view headers = {},
              std::string_view body = {}) const {
        std::string bytes(method);
        bytes.append(" ")
            .append(target)
            .append(" HTTP/1.1\r\nHost: cdp.example\r\n")
            .append(headers);
        if (!body.empty()) bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
        bytes.append("\r\n").append(body);
        return connect().send(bytes).read(method == "HEAD");
    }
    Reply post(std::string_view target, const std::string& key, std::string_view body) const {
        return ask("POST", target, bearer(key), body);
    }
    Reply get(std::string_view target, const std::string& key) const {
        return ask("GET", target, bearer(key));
    }
    static std::string bearer(const std::string& key) {
        return "Authorization: Bearer " + key + "\r\n";
    }
    // One event from the till.
    void receive(const std::string& event) const {
        const auto reply = post("/v1/batch", till, R"({"batch":[)" + event + "]}");
        REQUIRE(reply.json()["results"][0]["verdict"] == "accepted");
    }
    std::uint64_t accepted() const { return platform->counters().accepted; }

    cdp::SystemClock clock;
    std::unique_ptr<storage::Store> store;
    storage::Vault vault{storage::Keyring::generate()};
    std::unique_ptr<cdp::Access> access;
    std::unique_ptr<cdp::Platform> platform;
    std::unique_ptr<api::Server> server;
    std::map<cdp::Role, std::string> keys;
    std::string till;
};

inline std::string gzip(const std::string& plain) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(deflateBound(&stream, plain.size()) + 32, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

}  // namespace tests
