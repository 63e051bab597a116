#include "api/callbacks.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "api/url.h"
#include "cdp/base/log.h"

namespace api {
namespace {

// So many are on their way at once, most of them waiting for their host.
constexpr std::size_t kUnderWayMax = 500;
constexpr std::size_t kToldMax = 10'000;
constexpr std::size_t kDetailMax = 900;
constexpr std::chrono::milliseconds kFirstPause{5'000};
constexpr std::chrono::milliseconds kPauseMax{3'600'000};
// After something went wrong with what is stored.
constexpr std::chrono::seconds kFailedPause{60};

// In the place of a status.
constexpr int kToldBefore = 0;

std::string outcome_of(const cdp::Result<int>& answer) {
    if (!answer) return answer.error().reason;
    return *answer == kToldBefore ? "told" : std::to_string(*answer);
}

// It is not to be called, now or later.
bool is_never(const cdp::Result<int>& answer) {
    return !answer && (answer.error().code == cdp::ErrorCode::forbidden ||
                       answer.error().code == cdp::ErrorCode::invalid_argument);
}

std::string host_of(const Callback& callback) {
    const auto parsed = parse_url(callback.url);
    return parsed ? parsed->host : "";
}

cdp::Error not_allowed() {
    return {.code = cdp::ErrorCode::forbidden, .reason = "not_allowed"};
}

void log_failure(const char* event, const cdp::Error& error) {
    cdp::log::write(
        cdp::log::Level::error, event,
        {{"reason", cdp::log::safe(error.reason)}, {"detail", cdp::log::safe(error.detail)}});
}

double draw() {
    thread_local std::minstd_rand random{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(random);
}

}  // namespace

std::chrono::milliseconds callback_pause(std::uint32_t attempts, double chance) {
    const auto doubled = kFirstPause * (std::int64_t{1} << std::min(attempts, 20u));
    const auto pause = static_cast<double>(std::min(doubled, kPauseMax).count());
    return std::chrono::milliseconds(std::llround(pause * (0.5 + chance)));
}

// One that is owed on its way, to as many hosts as it names.
struct Callbacks::Delivery {
    const CallbackProtocol& protocol;
    const cdp::OwedCallback owed;

    // Under the mutex of Callbacks.
    std::size_t hosts_left = 0;
    std::string status = {};  // what was told last
    struct Outcome {
        std::string host;
        cdp::Result<int> answer;
    };
    std::map<std::size_t, Outcome> outcomes = {};  // by the place of the callback
    std::optional<cdp::Error> failure = {};
};

Callbacks::Callbacks(Needs needs, std::vector<CallbackProtocol> protocols, OutgoingRules rules)
    : needs_(needs), protocols_(std::move(protocols)), senders_(std::move(rules)) {}

void Callbacks::start() {
    needs_.requests.subscribe([bell = bell_] {
        {
            const std::lock_guard lock(bell->mutex);
            bell->changed = true;
        }
        bell->rung.notify_one();
    });
    thread_ = std::thread([this] { run(); });
}

void Callbacks::stop() {
    {
        const std::lock_guard lock(bell_->mutex);
        bell_->stopping = true;
    }
    bell_->rung.notify_one();
    senders_.stop();
    if (thread_.joinable()) thread_.join();
}

void Callbacks::ring() {
    {
        const std::lock_guard lock(bell_->mutex);
        bell_->changed = true;
    }
    bell_->rung.notify_one();
}

bool Callbacks::stopping() const {
    const std::lock_guard lock(bell_->mutex);
    return bell_->stopping;
}

void Callbacks::run() {
    for (;;) {
        auto round = begin_due();
        if (round.error) round.at(needs_.clock.now() + kFailedPause);
        std::unique_lock lock(bell_->mutex);
        const auto woken = [this] { return bell_->changed || bell_->stopping; };
        if (round.next)
            bell_->rung.wait_for(lock, *round.next - needs_.clock.now(), woken);
        else
            bell_->rung.wait(lock, woken);
        if (bell_->stopping) return;
        bell_->changed = false;
    }
}

cdp::Result<std::optional<cdp::Timestamp>> Callbacks::deliver() {
    for (;;) {
        const auto round = begin_due();
        senders_.wait();
        if (round.begun > 0 && !stopping()) continue;
        if (round.error) return *round.error;
        return round.next;
    }
}

Callbacks::Round Callbacks::begin_due() {
    Round round;
    for (const auto& protocol : protocols_) {
        const auto done = begin_due(protocol, round);
        if (done) continue;
        log_failure("callbacks_failed", done.error());
        round.error = done.error();
    }
    return round;
}

cdp::Result<void> Callbacks::begin_due(const CallbackProtocol& protocol, Round& round) {
    const auto now = needs_.clock.now();
    std::size_t most = kUnderWayMax + 1;
    {
        const std::lock_guard lock(mutex_);
        most += under_way_.size() + set_aside_.size();
    }
    // The first to be told come first.
    for (const auto& one :
         CDP_TRY(needs_.requests.owed(protocol.protocol, most, /*also_later=*/true))) {
        if (one.not_before > now) {
            round.at(one.not_before);
            break;
        }
        if (stopping()) break;
        if (take(one, now, round)) begin(protocol, one);
    }
    return cdp::Result<void>::ok();
}

// Whether it is to begin. When one ends there is room for another, and the bell rings.
bool Callbacks::take(const cdp::OwedCallback& owed, cdp::Timestamp now, Round& round) {
    const Place place{owed.request, owed.step};
    const std::lock_guard lock(mutex_);
    if (const auto aside = set_aside_.find(place); aside != set_aside_.end()) {
        if (aside->second > now) {
            round.at(aside->second);
            return false;
        }
        set_aside_.erase(aside);
    }
    if (under_way_.size() >= kUnderWayMax || !under_way_.insert(place).second) return false;
    ++round.begun;
    return true;
}

void Callbacks::begin(const CallbackProtocol& protocol, const cdp::OwedCallback& owed) {
    const auto status = status_of(protocol, owed);
    if (!status) return end(owed, status.error());
    if (!*status) return end(owed, needs_.requests.settle(owed, "callback_unreadable", ""));
    const auto delivery = std::make_shared<Delivery>(protocol, owed);
    delivery->status = (*status)->status;
    std::set<std::string> hosts;
    for (std::size_t i = 0; i < (*status)->callbacks.size(); ++i) {
        const auto& callback = (*status)->callbacks[i];
        const auto host = host_of(callback);
        if (callback.allowed)
            hosts.insert(host);
        else
            delivery->outcomes[i] = {host, not_allowed()};
    }
    if (hosts.empty()) return finish(*delivery);
    delivery->hosts_left = hosts.size();
    for (const auto& host : hosts)
        senders_.give(host, [this, delivery, host](Outgoing* outgoing) {
            return tell(*delivery, host, outgoing);
        });
}

cdp::Result<std::optional<ToldStatus>> Callbacks::status_of(const CallbackProtocol& protocol,
                                                            const cdp::OwedCallback& owed) const {
    const auto request = CDP_TRY(needs_.requests.read(owed.request));
    return protocol.status_of(request);
}

// All that is for one host; whether it was to be reached.
bool Callbacks::tell(Delivery& delivery, const std::string& host, Outgoing* outgoing) {
    const auto status = status_of(delivery.protocol, delivery.owed);
    std::map<std::size_t, Delivery::Outcome> outcomes;
    for (std::size_t i = 0; status && *status && i < (*status)->callbacks.size(); ++i) {
        const auto& callback = (*status)->callbacks[i];
        if (host_of(callback) != host) continue;
        auto answer = tell_one(delivery, **status, callback, outgoing);
        outcomes[i] = {host, std::move(answer)};
    }
    bool last = false;
    {
        const std::lock_guard lock(mutex_);
        for (auto& [place, outcome] : outcomes) delivery.outcomes[place] = std::move(outcome);
        if (status && *status) delivery.status = (*status)->status;
        if (!status) delivery.failure = status.error();
        last = --delivery.hosts_left == 0;
    }
    if (last) finish(delivery);
    return outgoing != nullptr;
}

// The status of the answer, or why there was none. A host out of reach is not tried again.
cdp::Result<int> Callbacks::tell_one(const Delivery& delivery, const ToldStatus& status,
                                     const Callback& callback, Outgoing*& outgoing) {
    if (!callback.allowed) return not_allowed();
    const auto key = std::string(delivery.owed.request.view()) + status.status;
    {
        const std::lock_guard lock(mutex_);
        if (told_.size() > kToldMax) told_.clear();
        if (told_[key].contains(callback.url)) return kToldBefore;
    }
    if (!outgoing) return cdp::Error{.code = cdp::ErrorCode::unavailable, .reason = "host_silent"};
    const auto request = CDP_TRY(callback.write());
    const auto answer = outgoing->send(request);
    if (!answer) {
        if (answer.error().code == cdp::ErrorCode::unavailable) outgoing = nullptr;
        return answer.error();
    }
    if (answer->status / 100 == 2) {
        const std::lock_guard lock(mutex_);
        told_[key].insert(callback.url);
    }
    return answer->status;
}

// All its hosts have been told, or not.
void Callbacks::finish(Delivery& delivery) {
    const auto& owed = delivery.owed;
    // What was cut off stays owed.
    if (stopping()) return end(owed, cdp::Result<void>::ok());
    if (delivery.failure) return end(owed, *delivery.failure);
    bool all = true;  // nobody is left to be told
    bool anybody = false;
    std::string detail;
    for (const auto& [place, one] : delivery.outcomes) {
        const bool good = one.answer && (*one.answer == kToldBefore || *one.answer / 100 == 2);
        anybody = anybody || good;
        all = all && (good || is_never(one.answer));
        if (detail.size() < kDetailMax)
            detail += (detail.empty() ? "" : ", ") + one.host + " " + outcome_of(one.answer);
    }
    detail += "; " + delivery.status;
    const auto now = needs_.clock.now();
    if (all)
        return end(owed,
                   needs_.requests.settle(
                       owed, anybody ? "callback_delivered" : "callback_not_allowed", detail));
    if (now - owed.since > kCallbackLife)
        return end(owed, needs_.requests.settle(owed, "callback_failed", detail));
    end(owed, needs_.requests.postpone(owed, now + callback_pause(owed.attempts, draw())));
}

void Callbacks::end(const cdp::OwedCallback& owed, const cdp::Result<void>& outcome) {
    const Place place{owed.request, owed.step};
    if (!outcome) log_failure("callback_failed", outcome.error());
    {
        const std::lock_guard lock(mutex_);
        under_way_.erase(place);
        if (!outcome) set_aside_[place] = needs_.clock.now() + kFailedPause;
    }
    // There is room again, or another time to wake.
    ring();
}

}  // namespace api
