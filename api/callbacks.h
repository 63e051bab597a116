#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "api/outgoing.h"
#include "api/senders.h"
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
// thread begins what is due and sleeps until the next. Hosts are told at once, each one thing after
// the other. All it refers to must outlive it.
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

    // Once. What is on its way when it stops is cut off, and stays owed.
    void start();
    void stop();

    // Sends what is due and waits until that has come to an end; answers when the next is, nullopt
    // when none is owed. What cannot be read or written keeps nothing else from being told. For one
    // thread, where it was not started.
    cdp::Result<std::optional<cdp::Timestamp>> deliver();

private:
    // Whoever commits wakes the thread, also when it has gone.
    struct Bell {
        std::mutex mutex;
        std::condition_variable rung;
        bool changed = false;   // under mutex
        bool stopping = false;  // under mutex
    };
    // What of the owed is being told.
    using Place = std::pair<cdp::PrivacyRequestId, std::uint32_t>;
    struct Delivery;
    struct Round {
        std::size_t begun = 0;
        std::optional<cdp::Timestamp> next;  // of what was not begun
        std::optional<cdp::Error> error;
        void at(cdp::Timestamp time) { next = next ? std::min(*next, time) : time; }
    };

    void run();
    void ring();
    bool stopping() const;
    Round begin_due();
    cdp::Result<void> begin_due(const CallbackProtocol& protocol, Round& round);
    bool take(const cdp::OwedCallback& owed, cdp::Timestamp now, Round& round);
    void begin(const CallbackProtocol& protocol, const cdp::OwedCallback& owed);
    cdp::Result<std::optional<ToldStatus>> status_of(const CallbackProtocol& protocol,
                                                     const cdp::OwedCallback& owed) const;
    bool tell(Delivery& delivery, const std::string& host, Outgoing* outgoing);
    cdp::Result<int> tell_one(const Delivery& delivery, const ToldStatus& status,
                              const Callback& callback, Outgoing*& outgoing);
    void finish(Delivery& delivery);
    void end(const cdp::OwedCallback& owed, const cdp::Result<void>& outcome);

    const Needs needs_;
    const std::vector<CallbackProtocol> protocols_;
    const std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
    std::mutex mutex_;
    // Who has been told which status, since the start: those of one request are not told it again
    // because another was not to be reached. Under mutex_, like what follows.
    std::map<std::string, std::set<std::string>> told_;
    std::set<Place> under_way_;
    std::map<Place, cdp::Timestamp> set_aside_;  // what failed, until then
    std::thread thread_;
    Senders senders_;  // dies first
};

// How long to wait after so many attempts: 5 s, doubling to an hour, more or less a half by
// `chance` in [0, 1).
std::chrono::milliseconds callback_pause(std::uint32_t attempts, double chance);

}  // namespace api
