#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cctype>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tests {

struct Heard {
    std::string target;
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;

    std::string header(const std::string& name) const {
        for (const auto& [key, value] : headers)
            if (key == name) return value;
        return "";
    }
};

// Somebody on this machine who answers every request with one status, and
// remembers them.
class Answering {
public:
    explicit Answering(std::string status) : status_(std::move(status)) {
        thread_ = std::thread([this] { run(); });
    }
    ~Answering() {
        stopping_ = true;
        boost::system::error_code ignored;
        Tcp::socket knock(context_);
        knock.connect({boost::asio::ip::address_v4::loopback(), port_}, ignored);
        thread_.join();
    }
    Answering(const Answering&) = delete;
    Answering& operator=(const Answering&) = delete;

    std::string url(const std::string& path) const {
        return "http://localhost:" + std::to_string(port_) + path;
    }
    void say(std::string status) {
        const std::lock_guard lock(mutex_);
        status_ = std::move(status);
    }
    std::vector<Heard> heard() const {
        const std::lock_guard lock(mutex_);
        return heard_;
    }

private:
    using Tcp = boost::asio::ip::tcp;

    void run() {
        namespace http = boost::beast::http;
        for (;;) {
            boost::system::error_code error;
            Tcp::socket socket(context_);
            acceptor_.accept(socket, error);
            if (error || stopping_) return;
            boost::beast::flat_buffer buffer;
            http::request<http::string_body> request;
            http::read(socket, buffer, request, error);
            if (error) continue;
            Heard one{
                .target = std::string(request.target()), .headers = {}, .body = request.body()};
            for (const auto& field : request) {
                std::string name(field.name_string());
                for (auto& c : name)
                    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
                one.headers.emplace_back(std::move(name), std::string(field.value()));
            }
            const std::lock_guard lock(mutex_);
            heard_.push_back(std::move(one));
            const auto answer =
                "HTTP/1.1 " + status_ + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            boost::asio::write(socket, boost::asio::buffer(answer), error);
        }
    }

    boost::asio::io_context context_;
    Tcp::acceptor acceptor_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
    const std::uint16_t port_ = acceptor_.local_endpoint().port();
    std::atomic<bool> stopping_ = false;
    mutable std::mutex mutex_;
    std::string status_;        // under mutex_
    std::vector<Heard> heard_;  // under mutex_
    std::thread thread_;
};

}  // namespace tests
