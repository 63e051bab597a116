#include "api/opendsr_callbacks.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "api/results_link.h"
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

OpenDsrCallbacks::OpenDsrCallbacks(Needs needs, OutgoingRules rules)
    : needs_(needs), outgoing_(std::move(rules)) {}

void OpenDsrCallbacks::start() {
    needs_.requests.subscribe([bell = bell_] {
        {
            const std::lock_guard lock(bell->mutex);
            bell->changed = true;
        }
        bell->rung.notify_one();
    });
    thread_ = std::thread([this] { run(); });
}

void OpenDsrCallbacks::stop() {
    {
        const std::lock_guard lock(bell_->mutex);
        bell_->stopping = true;
    }
    bell_->rung.notify_one();
    if (thread_.joinable()) thread_.join();
}

bool OpenDsrCallbacks::stopping() const {
    const std::lock_guard lock(bell_->mutex);
    return bell_->stopping;
}

void OpenDsrCallbacks::run() {
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

cdp::Result<std::optional<cdp::Timestamp>> OpenDsrCallbacks::deliver() {
    silent_.clear();
    for (;;) {
        const auto due = CDP_TRY(needs_.requests.owed(cdp::PrivacyProtocol::open_dsr, kRound));
        for (const auto& one : due) {
            if (stopping()) return std::optional(needs_.clock.now());
            CDP_CHECK(deliver_one(one));
        }
        if (due.size() < kRound) break;
    }
    const auto later =
        CDP_TRY(needs_.requests.owed(cdp::PrivacyProtocol::open_dsr, kLater, /*also_later=*/true));
    std::optional<cdp::Timestamp> next;
    // Of so many the earliest may not be among those seen.
    if (later.size() == kLater) next = needs_.clock.now() + kFailedPause;
    for (const auto& one : later) next = next ? std::min(*next, one.not_before) : one.not_before;
    return next;
}

cdp::Result<void> OpenDsrCallbacks::deliver_one(const cdp::OwedCallback& owed) {
    const auto request = CDP_TRY(needs_.requests.read(owed.request));
    const auto context = decode_opendsr_context(request.context);
    if (!context) return needs_.requests.settle(owed, "callback_unreadable", "");
    const auto told = tell(request, *context);
    const auto now = needs_.clock.now();
    if (told.all)
        return needs_.requests.settle(
            owed, told.anybody ? "callback_delivered" : "callback_not_allowed", told.detail);
    if (now - owed.since > kCallbackLife)
        return needs_.requests.settle(owed, "callback_failed", told.detail);
    return needs_.requests.postpone(owed, now + callback_pause(owed.attempts, draw()));
}

bool OpenDsrCallbacks::is_allowed(const std::string& controller, const std::string& host) const {
    const auto& all = needs_.dsr.config().callback_hosts;
    const auto hosts = all.find(controller);
    return hosts != all.end() && std::ranges::find(hosts->second, host) != hosts->second.end();
}

OpenDsrCallbacks::Told OpenDsrCallbacks::tell(const cdp::PrivacyRequest& request,
                                              const OpenDsrContext& context) {
    if (told_.size() > kToldMax) told_.clear();
    auto state = state_of(request, context);
    state.results_url = results_url(needs_.dsr, needs_.secrets, request, needs_.clock.now());
    auto& told = told_[std::string(request.id.view()) + std::string(to_string(state.status))];
    Told out;
    for (const auto& url : context.callback_urls) {
        const auto parsed = parse_url(url);
        const auto host = parsed ? parsed->host : "";
        std::string outcome = "not_allowed";
        if (is_allowed(request.sender, host)) {
            auto answer = cdp::Result<int>(kToldBefore);
            if (!told.contains(url)) answer = tell_one(state, context.header_prefix, url);
            outcome = outcome_of(answer);
            const bool good = answer && (*answer == kToldBefore || *answer / 100 == 2);
            if (good) told.insert(url);
            out.anybody = out.anybody || good;
            out.all = out.all && (good || is_never(answer));
        }
        if (out.detail.size() < kDetailMax)
            out.detail += (out.detail.empty() ? "" : ", ") + host + " " + outcome;
    }
    out.detail += "; " + std::string(to_string(state.status));
    return out;
}

// The status of the answer, or why there was none.
cdp::Result<int> OpenDsrCallbacks::tell_one(const OpenDsrState& state, const std::string& prefix,
                                            const std::string& url) {
    const auto host = parse_url(url)->host;
    if (silent_.contains(host))
        return cdp::Error{.code = cdp::ErrorCode::unavailable, .reason = "host_silent"};
    const auto signer = needs_.dsr.signer();
    if (!signer) return cdp::Error{.code = cdp::ErrorCode::unavailable, .reason = "not_signed"};
    OutgoingRequest request{.post = true, .url = url, .body = render_callback(state, url)};
    request.headers = {{"Content-Type", "application/json"},
                       {prefix + "Processor-Domain", (*signer)->domain()},
                       {prefix + "Signature", (*signer)->sign(request.body)}};
    const auto answer = outgoing_.send(request);
    if (answer) return answer->status;
    if (answer.error().code == cdp::ErrorCode::unavailable) silent_.insert(host);
    return answer.error();
}

}  // namespace api
