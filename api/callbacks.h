#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "api/outgoing.h"
#include "cdp/base/clock.h"
#include "cdp/privacy_requests.h"

namespace api {

// For so long a callback is tried.
inline constexpr std::chrono::days kCallbackLife{7};

// What one place is to be told.
struct Callback {
    std::string url;
    bool allowed = false;  // to be called by whoever asked
    // Written when it is sent. An Error's reason is what became of it.
    std::function<cdp::Result<OutgoingRequest>()> write;
};

// How a request stands, as a protocol tells it.
struct ToldStatus {
    std::string status;  // who was told this is not told it again
    std::vector<Callback> callbacks;
};

// A protocol that calls back.
struct CallbackProtocol {
    cdp::PrivacyProtocol protocol = cdp::PrivacyProtocol::direct;
    // nullopt: what it keeps with the request cannot be read.
    std::function<cdp::Result<std::optional<ToldStatus>>(const cdp::PrivacyRequest&)> status_of;
};

// Tells whoever asked what becomes of their requests, at least once: whatever status a request has
// when it is told, so that nobody is told yesterday's after today's. What is owed is on disk; a
// thread sends what is due and sleeps until the next. All it refers to must outlive it.
class Callbacks {
public:
    struct Needs {
        cdp::PrivacyRequests& requests;
        const cdp::Clock& clock;
    };
    Callbacks(Needs needs, std::vector<CallbackProtocol> protocols, OutgoingRules rules);
    ~Callbacks() { stop(); }
    Callbacks(const Callbacks&) = delete;
    Callbacks& operator=(const Callbacks&) = delete;

    // Once. What is on its way when it stops is finished.
    void start();
    void stop();

    // Sends what is due; answers when the next is, nullopt when none is owed. For one thread.
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
    cdp::Result<std::optional<cdp::Timestamp>> deliver(const CallbackProtocol& protocol);
    cdp::Result<void> deliver_one(const CallbackProtocol& protocol, const cdp::OwedCallback& owed);
    Told tell(const cdp::PrivacyRequestId& request, const ToldStatus& status);
    cdp::Result<int> tell_one(const Callback& callback, const std::string& host);

    const Needs needs_;
    const std::vector<CallbackProtocol> protocols_;
    Outgoing outgoing_;
    const std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
    // Who has been told which status, since the start: those of one request are not told it again
    // because another was not to be reached.
    std::map<std::string, std::set<std::string>> told_;
    std::set<std::string> silent_;  // hosts that did not answer in this round
    std::thread thread_;
};

// How long to wait after so many attempts: 5 s, doubling to an hour, more or less a half by
// `chance` in [0, 1).
std::chrono::milliseconds callback_pause(std::uint32_t attempts, double chance);

}  // namespace api
