#include "api/callbacks.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "api/url.h"
#include "cdp/base/log.h"

namespace api {
namespace {

constexpr std::size_t kRound = 100;
constexpr std::size_t kLater = 1'000;
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

Callbacks::Callbacks(Needs needs, std::vector<CallbackProtocol> protocols, OutgoingRules rules)
    : needs_(needs), protocols_(std::move(protocols)), outgoing_(std::move(rules)) {}

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
    if (thread_.joinable()) thread_.join();
}

bool Callbacks::stopping() const {
    const std::lock_guard lock(bell_->mutex);
    return bell_->stopping;
}

void Callbacks::run() {
    for (;;) {
        const auto next = deliver();
        if (!next)
            cdp::log::write(cdp::log::Level::error, "callbacks_failed",
                            {{"reason", cdp::log::safe(next.error().reason)},
                             {"detail", cdp::log::safe(next.error().detail)}});
        std::unique_lock lock(bell_->mutex);
        const auto woken = [this] { return bell_->changed || bell_->stopping; };
        if (!next)
            bell_->rung.wait_for(lock, kFailedPause, [this] { return bell_->stopping; });
        else if (*next)
            bell_->rung.wait_for(lock, **next - needs_.clock.now(), woken);
        else
            bell_->rung.wait(lock, woken);
        if (bell_->stopping) return;
        bell_->changed = false;
    }
}

cdp::Result<std::optional<cdp::Timestamp>> Callbacks::deliver() {
    silent_.clear();
    std::optional<cdp::Timestamp> next;
    for (const auto& protocol : protocols_) {
        const auto one = CDP_TRY(deliver(protocol));
        if (one) next = next ? std::min(*next, *one) : *one;
    }
    return next;
}

cdp::Result<std::optional<cdp::Timestamp>> Callbacks::deliver(const CallbackProtocol& protocol) {
    for (;;) {
        const auto due = CDP_TRY(needs_.requests.owed(protocol.protocol, kRound));
        for (const auto& one : due) {
            if (stopping()) return std::optional(needs_.clock.now());
            CDP_CHECK(deliver_one(protocol, one));
        }
        if (due.size() < kRound) break;
    }
    const auto later =
        CDP_TRY(needs_.requests.owed(protocol.protocol, kLater, /*also_later=*/true));
    std::optional<cdp::Timestamp> next;
    // Of so many the earliest may not be among those seen.
    if (later.size() == kLater) next = needs_.clock.now() + kFailedPause;
    for (const auto& one : later) next = next ? std::min(*next, one.not_before) : one.not_before;
    return next;
}

cdp::Result<void> Callbacks::deliver_one(const CallbackProtocol& protocol,
                                         const cdp::OwedCallback& owed) {
    const auto request = CDP_TRY(needs_.requests.read(owed.request));
    const auto status = CDP_TRY(protocol.status_of(request));
    if (!status) return needs_.requests.settle(owed, "callback_unreadable", "");
    const auto told = tell(request.id, *status);
    const auto now = needs_.clock.now();
    if (told.all)
        return needs_.requests.settle(
            owed, told.anybody ? "callback_delivered" : "callback_not_allowed", told.detail);
    if (now - owed.since > kCallbackLife)
        return needs_.requests.settle(owed, "callback_failed", told.detail);
    return needs_.requests.postpone(owed, now + callback_pause(owed.attempts, draw()));
}

Callbacks::Told Callbacks::tell(const cdp::PrivacyRequestId& request, const ToldStatus& status) {
    if (told_.size() > kToldMax) told_.clear();
    auto& told = told_[std::string(request.view()) + status.status];
    Told out;
    for (const auto& callback : status.callbacks) {
        const auto parsed = parse_url(callback.url);
        const auto host = parsed ? parsed->host : "";
        std::string outcome = "not_allowed";
        if (callback.allowed) {
            auto answer = cdp::Result<int>(kToldBefore);
            if (!told.contains(callback.url)) answer = tell_one(callback, host);
            outcome = outcome_of(answer);
            const bool good = answer && (*answer == kToldBefore || *answer / 100 == 2);
            if (good) told.insert(callback.url);
            out.anybody = out.anybody || good;
            out.all = out.all && (good || is_never(answer));
        }
        if (out.detail.size() < kDetailMax)
            out.detail += (out.detail.empty() ? "" : ", ") + host + " " + outcome;
    }
    out.detail += "; " + status.status;
    return out;
}

// The status of the answer, or why there was none.
cdp::Result<int> Callbacks::tell_one(const Callback& callback, const std::string& host) {
    if (silent_.contains(host))
        return cdp::Error{.code = cdp::ErrorCode::unavailable, .reason = "host_silent"};
    const auto request = CDP_TRY(callback.write());
    const auto answer = outgoing_.send(request);
    if (answer) return answer->status;
    if (answer.error().code == cdp::ErrorCode::unavailable) silent_.insert(host);
    return answer.error();
}

}  // namespace api
