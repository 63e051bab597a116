#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace api {

// What a name leads to, or why that is not known.
struct Addresses {
    boost::asio::ip::tcp::resolver::results_type found;
    boost::system::error_code error;
};

// Looks names up, so that waiting for an answer can end. The system's own look-up cannot be
// interrupted: each has a thread, which is left behind when nobody waits for it any more.
class LookUp {
public:
    LookUp();

    // nullopt: that took too long, or was cancelled. For one thread.
    std::optional<Addresses> find(const std::string& host, const std::string& port,
                                  std::chrono::milliseconds patience);
    // From any thread, for good.
    void cancel();

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

}  // namespace api
