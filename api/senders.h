#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/outgoing.h"

namespace api {

// Sends to many hosts at once and to each one thing after the other, so that a host that hangs
// keeps waiting only what is meant for it. At most half of the threads are kept by hosts that could
// not be reached last time. Safe to use from many threads.
class Senders {
public:
    // Sends, and says whether the host was to be reached. nullptr: it was not when somebody asked a
    // moment ago; nothing is to be sent.
    using Errand = std::function<bool(Outgoing* outgoing)>;

    explicit Senders(OutgoingRules rules, std::size_t threads_max = 8);
    ~Senders() { stop(); }
    Senders(const Senders&) = delete;
    Senders& operator=(const Senders&) = delete;

    // Done on another thread after what was given for this host before. Once the host cannot be
    // reached, all that waits for it is called without an Outgoing, and until it is reached again
    // so is, by the caller, all but the first that is given.
    void give(const std::string& host, Errand errand);

    // Until all that was given is done.
    void wait();

    // Closes what is open, at once; what has not begun is dropped, and all that is given later.
    void stop();

private:
    struct Host {
        std::deque<Errand> waiting;
        bool busy = false;
        bool silent = false;  // not reached last time
    };
    struct Sender {
        explicit Sender(const OutgoingRules& rules) : outgoing(rules) {}
        Outgoing outgoing;
        std::thread thread;
    };
    using Lock = std::unique_lock<std::mutex>;

    void work(Sender& sender);
    std::deque<std::string>::iterator find_ready();
    void serve(Host& host, Outgoing& outgoing, Lock& lock);

    const OutgoingRules rules_;
    const std::size_t threads_max_;
    std::mutex mutex_;
    std::condition_variable given_;
    std::condition_variable done_;
    // Under mutex_.
    std::map<std::string, Host> hosts_;  // with something to do, or silent
    std::deque<std::string> ready_;      // what waits, and is not busy
    std::size_t left_ = 0;               // errands that are not done
    std::size_t idle_ = 0;               // threads
    std::size_t silent_busy_ = 0;
    bool stopping_ = false;
    std::vector<std::unique_ptr<Sender>> senders_;
};

}  // namespace api
