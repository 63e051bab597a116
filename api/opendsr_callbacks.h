#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "api/opendsr.h"
#include "api/opendsr_state.h"
#include "api/outgoing.h"
#include "cdp/base/clock.h"
#include "cdp/own_secrets.h"
#include "cdp/privacy_requests.h"

namespace api {

// For so long a callback is tried.
inline constexpr std::chrono::days kCallbackLife{7};

// Tells controllers what becomes of their requests, at least once: whatever
// status a request has when it is told, so that nobody is told yesterday's
// after today's. What is owed is on disk; a thread sends what is due and sleeps
// until the next. All it refers to must outlive it.
class OpenDsrCallbacks {
public:
    struct Needs {
        const OpenDsr& dsr;
        cdp::PrivacyRequests& requests;
        const cdp::OwnSecrets& secrets;
        const cdp::Clock& clock;
    };
    OpenDsrCallbacks(Needs needs, OutgoingRules rules);
    ~OpenDsrCallbacks() { stop(); }
    OpenDsrCallbacks(const OpenDsrCallbacks&) = delete;
    OpenDsrCallbacks& operator=(const OpenDsrCallbacks&) = delete;

    // Once. What is on its way when it stops is finished.
    void start();
    void stop();

    // Sends what is due; answers when the next is, nullopt when none is owed. For
    // one thread.
    cdp::Result<std::optional<cdp::Timestamp>> deliver();

private:
    // Whoever commits wakes the thread, also when it has gone.
    struct Bell {
        std::mutex mutex;
        std::condition_variable rung;
        bool changed = false;   // under mutex
        bool stopping = false;  // under mutex
    };
    struct Told {
        bool all = true;  // nobody is left to be told
        bool anybody = false;
        std::string detail;  // host and outcome of each
    };

    void run();
    bool stopping() const;
    cdp::Result<void> deliver_one(const cdp::OwedCallback& owed);
    Told tell(const cdp::PrivacyRequest& request, const OpenDsrContext& context);
    cdp::Result<int> tell_one(const OpenDsrState& state, const std::string& prefix,
                              const std::string& url);
    bool is_allowed(const std::string& controller, const std::string& host) const;

    const Needs needs_;
    Outgoing outgoing_;
    const std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
    // Who has been told which status, since the start: those of one request are
    // not told it again because another was not to be reached.
    std::map<std::string, std::set<std::string>> told_;
    std::set<std::string> silent_;  // hosts that did not answer in this round
    std::thread thread_;
};

// How long to wait after so many attempts: 5 s, doubling to an hour, more or
// less a half by `chance` in [0, 1).
std::chrono::milliseconds callback_pause(std::uint32_t attempts, double chance);

}  // namespace api
