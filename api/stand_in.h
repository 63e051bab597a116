#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace api {

// A second thread for a loop, which runs it while the first one waits for a disk that stands still.
// It sleeps until the first one leaves for the first time, and again when that has not left for a
// while. docs/decisions/0040.
class StandIn {
public:
    // `run` runs the loop until it is stopped, or until a handler throws.
    explicit StandIn(std::function<void()> run);
    ~StandIn();
    StandIn(const StandIn&) = delete;
    StandIn& operator=(const StandIn&) = delete;

    // On the loop's own thread, around what may take long: the loop is not touched in between.
    void leave();
    // False: the loop is being run by now. It is not to be touched before relieve(), which is
    // called when no handler of the loop is on the stack any more.
    bool come_back();
    // Has a handler posted that ends the turn of who stands in, and waits until that is over.
    void relieve(const std::function<void(std::function<void()>)>& post);

    // Asked on the thread that runs the loop: whether it stands in.
    bool stands_in() const { return std::this_thread::get_id() == thread_.get_id(); }

private:
    void watch();

    const std::function<void()> run_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    std::uint64_t left_ = 0;  // how often the first one has left
    bool away_ = false;
    bool lent_ = false;    // the loop is run by this one
    bool asleep_ = false;  // until the first one leaves again
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace api
