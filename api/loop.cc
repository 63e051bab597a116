#include "api/loop.h"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <cstdio>
#include <ctime>

#include "api/connection.h"
#include "api/pending.h"
#include "api/problem.h"
#include "cdp/base/log.h"
#include "cdp/disclosures.h"

namespace api {
namespace {

thread_local const Loop* this_loop = nullptr;

constexpr std::chrono::milliseconds kDrainTick{20};

asio::awaitable<void> serve(std::unique_ptr<Connection> connection) {
    co_await connection->serve();
}

void report(std::exception_ptr error) {
    if (!error) return;
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        cdp::log::write(cdp::log::Level::error, "connection_failed",
                        {{"detail", cdp::log::safe(e.what())}});
    }
}

}  // namespace

// Thrown through run() by a thread whose stand-in runs the loop by now.
struct Loop::Replaced {
    Group group;
    bool written = false;
};

Loop::Loop(const Services& services_in, const Routes& routes_in, const Limits& limits_in,
           Admission& admission_in, std::uint64_t seed)
    : services(services_in),
      routes(routes_in),
      limits(limits_in),
      admission(admission_in),
      metrics(routes_in.all().size()),
      random(seed),
      work_(context.get_executor()),
      timer_(context),
      stand_in_([this] { run_context(); }) {}

Loop::~Loop() = default;

void Loop::run() {
    set_date();
    arm_sweep();
    while (true) {
        try {
            return run_context();
        } catch (const Replaced& replaced) {
            take_back(replaced);
        }
    }
}

void Loop::run_context() {
    this_loop = this;
    context.run();
    this_loop = nullptr;
}

bool Loop::is_this_thread() const {
    return this_loop == this;
}

void Loop::adopt(Arrival arrival) {
    auto take = [this, arrival = std::move(arrival)] {
        Socket socket(context);
        boost::system::error_code error;
        const auto protocol = arrival.tcp ? asio::generic::stream_protocol(AF_INET, IPPROTO_TCP)
                                          : asio::generic::stream_protocol(AF_UNIX, 0);
        if (draining_ || socket.assign(protocol, arrival.descriptor, error)) {
            admission.leave(arrival.peer);
            metrics.connections_closed.add(1);
            ::close(arrival.descriptor);
            return;
        }
        Wire wire(std::move(socket), arrival.tls.get());
        auto connection =
            std::make_unique<Connection>(*this, std::move(wire), arrival.uid, arrival.peer);
        asio::co_spawn(context, serve(std::move(connection)), report);
    };
    metrics.connections_opened.add(1);
    asio::post(context, std::move(take));
}

void Loop::enter(Connection& connection) {
    connection.next = first_;
    if (first_) first_->previous = &connection;
    first_ = &connection;
}

void Loop::leave(Connection& connection, const Address& peer) {
    if (connection.previous) connection.previous->next = connection.next;
    if (connection.next) connection.next->previous = connection.previous;
    if (first_ == &connection) first_ = connection.next;
    admission.leave(peer);
    metrics.connections_closed.add(1);
}

void Loop::end_slowest_reader() {
    Connection* slowest = nullptr;
    for (auto* c = first_; c != nullptr; c = c->next)
        if (c->holds_answer() && (!slowest || c->writing_since() <= slowest->writing_since()))
            slowest = c;
    if (!slowest) return;
    metrics.refuse(Refused::slow_reader);
    slowest->abort();
}

void Loop::list(std::shared_ptr<cdp::Listing> listing, std::shared_ptr<Pending> pending,
                Response response, std::size_t held) {
    // Beside its bytes: what it tells, and who waits.
    constexpr std::size_t kListingHeld = 1024;
    if (told_.empty()) asio::post(context, [this] { write_told(); });
    told_.push_back(
        {std::move(listing), std::move(pending), std::move(response), held + kListingHeld});
}

cdp::Scribe::Listings Loop::listings_of(const std::vector<Told>& group) {
    cdp::Scribe::Listings listings;
    for (const auto& one : group) listings.push_back(one.listing);
    return listings;
}

// By one write, which the disk may keep for as long as it likes: then the stand-in goes on with the
// loop, and leaves writing to a thread for whom nobody waits.
void Loop::write_told() {
    const auto group = std::make_shared<std::vector<Told>>(std::exchange(told_, {}));
    ++unanswered;
    for (const auto& one : *group) untold_ += one.held;
    if (stand_in_.stands_in()) return have_written(group);
    const auto listings = listings_of(*group);
    stand_in_.leave();
    const bool written = services.platform.disclosures().try_list(listings);
    if (!stand_in_.come_back()) throw Replaced{group, written};
    if (written) return settle(group);
    have_written(group);
}

void Loop::have_written(const Group& group) {
    services.platform.disclosures().list(listings_of(*group), [this, group] {
        asio::post(context, [this, group] { settle(group); });
    });
}

void Loop::settle(const Group& group) {
    --unanswered;
    for (auto& [listing, pending, response, held] : *group) {
        untold_ -= held;
        pending->settle(listing->refusal() ? problem(*listing->refusal()) : std::move(response));
    }
}

// With nothing of the loop on the stack: what is posted here wakes who runs it.
void Loop::take_back(const Replaced& replaced) {
    const auto post = [this](std::function<void()> work) { asio::post(context, std::move(work)); };
    if (replaced.written)
        post([this, group = replaced.group] { settle(group); });
    else
        have_written(replaced.group);
    stand_in_.relieve(post);
}

// IMF-fixdate, RFC 9110 5.6.7. Not strftime, which speaks the language of the locale.
void Loop::set_date() {
    constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(services.clock.now().time_since_epoch());
    const std::time_t time = seconds.count();
    std::tm t{};
    gmtime_r(&time, &t);
    char line[64];
    std::snprintf(line, sizeof line, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                  days[t.tm_wday], t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour,
                  t.tm_min, t.tm_sec);
    date_ = line;
}

void Loop::arm_sweep() {
    timer_.expires_after(draining_ ? std::min(kDrainTick, limits.tick) : limits.tick);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) sweep();
    });
}

void Loop::sweep() {
    if (draining_) {
        stop_when_empty();
        return;
    }
    ++now_;
    set_date();
    for (auto* c = first_; c != nullptr; c = c->next) c->check_deadline(now_);
    arm_sweep();
}

void Loop::drain() {
    auto begin = [this] {
        if (draining_) return;
        draining_ = true;
        drain_until_ = static_cast<std::uint32_t>(limits.drain * limits.tick / kDrainTick) + 1;
        now_ = 0;
        for (auto* c = first_; c != nullptr; c = c->next) c->wind_down();
        timer_.cancel();
        stop_when_empty();
    };
    asio::post(context, std::move(begin));
}

// While draining, ticks are short and count down to the moment when patience ends. Answers that
// other threads still owe are waited for without a bound: they would arrive at a loop that is gone.
void Loop::stop_when_empty() {
    if (now_++ == drain_until_)
        for (auto* c = first_; c != nullptr; c = c->next) c->abort();
    if (first_ == nullptr && unanswered == 0) {
        work_.reset();
        context.stop();
        return;
    }
    arm_sweep();
}

}  // namespace api
