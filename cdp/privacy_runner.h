#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "cdp/base/clock.h"
#include "cdp/privacy_requests.h"

namespace cdp {

// The thread that does what people asked for when its time has come. It sleeps until then. Both
// must outlive it.
class PrivacyRunner {
public:
    PrivacyRunner(PrivacyRequests& requests, const Clock& clock)
        : requests_(requests), clock_(clock) {}
    ~PrivacyRunner() { stop(); }
    PrivacyRunner(const PrivacyRunner&) = delete;
    PrivacyRunner& operator=(const PrivacyRunner&) = delete;

    // Goes on with what an earlier process began. Once.
    void start();
    // What is being done comes to its end first.
    void stop();

private:
    void run();
    bool stopping();

    PrivacyRequests& requests_;
    const Clock& clock_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;  // under mutex_
    bool changed_ = false;   // under mutex_
    std::thread thread_;
};

}  // namespace cdp
