#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace storage {

// A thread that does the same again and again, and sleeps in between.
class Beat {
public:
    // Called at once, and each time after as long as it said. It must not throw.
    using Work = std::function<std::chrono::milliseconds(Beat&)>;

    explicit Beat(Work work) : work_(std::move(work)), thread_([this] { run(); }) {}
    // Returns when the work has.
    ~Beat();
    Beat(const Beat&) = delete;
    Beat& operator=(const Beat&) = delete;

    // For the work itself: waits so long; false: it is to end now.
    bool pause(std::chrono::milliseconds length);

private:
    void run();

    const Work work_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace storage
