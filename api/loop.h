#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/admission.h"
#include "api/limits.h"
#include "api/message.h"
#include "api/metrics.h"
#include "api/routes.h"
#include "api/services.h"
#include "api/stand_in.h"
#include "cdp/base/random.h"
#include "cdp/listing.h"

struct ssl_ctx_st;

namespace api {

namespace asio = boost::asio;

class Connection;
class Pending;

// A connection that was accepted.
struct Arrival {
    int descriptor = -1;
    bool tcp = true;
    std::int64_t uid = -1;  // >= 0: a peer of the admin socket
    Address peer = {};
    std::shared_ptr<ssl_ctx_st> tls = {};  // none: plain
};

// One thread that serves the network, and all that only it touches.
class Loop {
public:
    Loop(const Services& services, const Routes& routes, const Limits& limits, Admission& admission,
         std::uint64_t seed);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // Serves until stopped.
    void run();

    // From any thread: takes over a connected socket. Its peer has entered; see Admission.
    void adopt(Arrival arrival);

    // From any thread: finishes what runs, closes what is idle, then run() returns.
    void drain();

    // On this thread, for connections.
    void enter(Connection& connection);
    void leave(Connection& connection, const Address& peer);
    bool is_this_thread() const;
    std::uint32_t now() const { return now_; }
    bool draining() const { return draining_; }
    // A whole header line, at most a tick old.
    const std::string& date() const { return date_; }

    const Services& services;
    const Routes& routes;
    const Limits& limits;
    Admission& admission;
    // I/O objects are touched by this thread alone, so their locks are off; posting stays safe.
    asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    HttpMetrics metrics;
    cdp::Random random;
    std::size_t unanswered = 0;  // answers that other threads still owe
    std::size_t buffered = 0;    // see Limits::buffered_max
    std::size_t keyless = 0;     // see Limits::keyless_max
    std::size_t unread = 0;      // see Limits::unread_max
    // Whether one more answer may be listed; see Limits::untold_max.
    bool may_list() const { return untold_ <= limits.untold_max; }
    // Settles `pending` when what the answer tells is written, with the answer or with why it must
    // not leave. What comes in one turn of the loop is written together at its end. `held`: bytes
    // that wait for it.
    void list(std::shared_ptr<cdp::Listing> listing, std::shared_ptr<Pending> pending,
              Response response, std::size_t held);
    // Lets go of the reader that has been waited for longest.
    void end_slowest_reader();

private:
    struct Told {
        std::shared_ptr<cdp::Listing> listing;
        std::shared_ptr<Pending> pending;
        Response response;
        std::size_t held = 0;
    };
    using Group = std::shared_ptr<std::vector<Told>>;
    struct Replaced;
    void run_context();
    static cdp::Scribe::Listings listings_of(const std::vector<Told>& group);
    void write_told();
    void have_written(const Group& group);
    void settle(const Group& group);
    void take_back(const Replaced& replaced);
    void arm_sweep();
    void sweep();
    void stop_when_empty();
    void set_date();

    asio::executor_work_guard<asio::io_context::executor_type> work_;
    asio::steady_timer timer_;
    std::string date_;
    std::uint32_t now_ = 0;
    std::uint32_t drain_until_ = 0;
    bool draining_ = false;
    Connection* first_ = nullptr;  // linked through the connections
    std::vector<Told> told_;       // written at the end of this turn
    std::size_t untold_ = 0;       // bytes of answers of earlier turns that are not written yet
    StandIn stand_in_;             // ends first
};

}  // namespace api
