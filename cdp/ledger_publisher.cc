#include "cdp/ledger_publisher.h"

#include <chrono>

#include "cdp/base/log.h"

namespace cdp {
namespace {

// Two looks and the commits of a publish are done within a second of an append.
constexpr std::chrono::milliseconds kLook{400};

}  // namespace

LedgerPublisher::~LedgerPublisher() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void LedgerPublisher::start() {
    publish();
    thread_ = std::thread([this] { run(); });
}

void LedgerPublisher::run() {
    std::uint64_t seen = 0;
    bool done = false;
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kLook, [this] { return stopping_; })) {
        // Taken before the look, so that what is committed meanwhile is seen by the next.
        const auto committed = store_.counts().transactions;
        if (done && committed == seen) continue;
        seen = committed;
        lock.unlock();
        done = publish();
        lock.lock();
    }
}

bool LedgerPublisher::publish() {
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            if (stopping_) return false;
        }
        const auto published = ledger_.publish(clock_.now());
        if (published && *published) continue;
        if (published) {
            failing_ = false;
            return true;
        }
        const bool halted = !ledger_.accepts_grants();
        if (!failing_)
            log::write(log::Level::error, halted ? "ledger_halted" : "ledger_not_published",
                       {{"reason", log::safe(published.error().reason)},
                        {"detail", log::safe(published.error().detail)}});
        failing_ = true;
        return halted;
    }
}

}  // namespace cdp
