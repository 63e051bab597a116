#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <string>
#include <thread>

#include "api/outgoing.h"
#include "tests/api/certificates.h"

namespace tests {

// Serves connections one by one, each with the same bytes, until it dies. Says how many there were,
// how many requests came by them and what the last one asked.
class Listener {
public:
    // `drips`: in plain, a byte at a time, with pauses.
    enum class Speaks { plain, tls, drips };

    Listener(Speaks speaks, std::string says, bool stays_open = false)
        : speaks_(speaks), says_(std::move(says)), stays_open_(stays_open) {
        thread_ = std::thread([this] { run(); });
    }
    ~Listener() {
        stopping_ = true;
        boost::system::error_code ignored;
        boost::asio::ip::tcp::socket knock(context_);
        knock.connect({boost::asio::ip::address_v4::loopback(), port()}, ignored);
        thread_.join();
    }
    std::uint16_t port() const { return port_; }
    std::string url(const std::string& path = "/") const {
        return std::string(speaks_ == Speaks::tls ? "https" : "http") +
               "://localhost:" + std::to_string(port_) + path;
    }
    int accepted() const { return accepted_; }
    int served() const { return served_; }
    // After the request was answered.
    const std::string& asked() const { return asked_; }

private:
    template <typename Stream>
    void drip(Stream& stream, boost::system::error_code& error) {
        for (const auto& byte : says_) {
            boost::asio::write(stream, boost::asio::buffer(&byte, 1), error);
            if (error || stopping_) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }
    template <typename Stream>
    void answer(Stream& stream) {
        boost::system::error_code error;
        do {
            std::string head;
            boost::asio::read_until(stream, boost::asio::dynamic_buffer(head), "\r\n\r\n", error);
            if (error) return;
            asked_ = head;
            ++served_;
            if (speaks_ == Speaks::drips)
                drip(stream, error);
            else
                boost::asio::write(stream, boost::asio::buffer(says_), error);
        } while (stays_open_ && !error);
        // Whoever waits for more is left waiting.
        char byte = 0;
        if (says_.empty()) stream.read_some(boost::asio::buffer(&byte, 1), error);
    }
    void run() {
        for (;;) {
            boost::system::error_code error;
            boost::asio::ip::tcp::socket socket(context_);
            acceptor_.accept(socket, error);
            if (error || stopping_) return;
            ++accepted_;
            if (speaks_ != Speaks::tls) {
                answer(socket);
                continue;
            }
            boost::asio::ssl::context tls(boost::asio::ssl::context::tls_server);
            tls.use_private_key(boost::asio::buffer(local_credentials().key),
                                boost::asio::ssl::context::pem);
            tls.use_certificate_chain(boost::asio::buffer(local_credentials().certificate));
            boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream(std::move(socket), tls);
            stream.handshake(boost::asio::ssl::stream_base::server, error);
            if (!error) answer(stream);
        }
    }

    const Speaks speaks_;
    const std::string says_;
    const bool stays_open_;
    boost::asio::io_context context_;
    boost::asio::ip::tcp::acceptor acceptor_{context_,
                                             {boost::asio::ip::address_v4::loopback(), 0}};
    const std::uint16_t port_ = acceptor_.local_endpoint().port();
    std::atomic<bool> stopping_ = false;
    std::atomic<int> accepted_ = 0;
    std::atomic<int> served_ = 0;
    std::string asked_;
    std::thread thread_;
};

inline std::string answer_of(const std::string& body, const std::string& status = "200 OK",
                             const std::string& headers = "Connection: close\r\n") {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           headers + "\r\n" + body;
}

// Trusts the listener, where it lies.
inline api::OutgoingRules trusting_rules() {
    api::OutgoingRules rules;
    rules.inner_hosts = {"localhost"};
    rules.authorities = local_credentials().certificate;
    rules.patience = std::chrono::seconds(5);
    return rules;
}

}  // namespace tests
