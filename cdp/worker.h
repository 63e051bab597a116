#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace cdp {

// One thread for what must leave the committer's: work that lost a race and is done again. The
// destructor finishes what waits.
class Worker {
public:
    Worker();
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    void post(std::function<void()> work);

private:
    void run();

    std::mutex mutex_;  // held while the queue changes hands, never while work runs
    std::condition_variable changed_;
    std::deque<std::function<void()>> queue_;
    bool closing_ = false;
    std::thread thread_;
};

}  // namespace cdp
