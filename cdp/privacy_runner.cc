#include "cdp/privacy_runner.h"

#include <algorithm>

#include "cdp/base/log.h"

namespace cdp {
namespace {

// How long it sleeps when nothing is known to come: the clock may be set meanwhile.
constexpr std::chrono::milliseconds kSleepMax = std::chrono::minutes(10);
constexpr std::chrono::milliseconds kAfterError = std::chrono::seconds(5);

}  // namespace

void PrivacyRunner::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void PrivacyRunner::start() {
    requests_.subscribe([this] {
        {
            const std::lock_guard lock(mutex_);
            changed_ = true;
        }
        wake_.notify_one();
    });
    thread_ = std::thread([this] { run(); });
}

bool PrivacyRunner::stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
}

void PrivacyRunner::run() {
    while (!stopping()) {
        auto sleep = kSleepMax;
        const auto next = requests_.run_due([this] { return !stopping(); });
        if (!next) {
            log::write(log::Level::error, "privacy_requests_waiting",
                       {{"reason", log::safe(next.error().reason)},
                        {"detail", log::safe(next.error().detail)}});
            sleep = kAfterError;
        } else if (*next) {
            const auto left = **next - clock_.now();
            sleep = std::clamp(left, std::chrono::milliseconds(0), kSleepMax);
        }
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, sleep, [this] { return stopping_ || changed_; });
        changed_ = false;
    }
}

}  // namespace cdp
