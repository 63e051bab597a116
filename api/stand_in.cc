#include "api/stand_in.h"

#include <chrono>
#include <utility>

namespace api {
namespace {

// A disk that works takes microseconds. Others on the loop wait that long for a write, and twice at
// most.
constexpr std::chrono::milliseconds kPatience{50};

// Thrown by a handler of the loop, through its run().
struct TurnOver {};

}  // namespace

StandIn::StandIn(std::function<void()> run) : run_(std::move(run)), thread_([this] { watch(); }) {}

StandIn::~StandIn() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void StandIn::leave() {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        ++left_;
        away_ = true;
        wake = std::exchange(asleep_, false);
    }
    if (wake) changed_.notify_all();
}

bool StandIn::come_back() {
    const std::lock_guard lock(mutex_);
    away_ = false;
    return !lent_;
}

void StandIn::relieve(const std::function<void(std::function<void()>)>& post) {
    post([] { throw TurnOver{}; });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !lent_; });
}

void StandIn::watch() {
    std::unique_lock lock(mutex_);
    std::uint64_t seen = 0;
    while (!ending_) {
        if (left_ == seen && !away_) {
            asleep_ = true;
            changed_.wait(lock, [this] { return ending_ || !asleep_; });
        }
        const bool same = away_ && left_ == seen;
        seen = left_;
        if (!same) {
            changed_.wait_for(lock, kPatience, [this] { return ending_; });
            continue;
        }
        lent_ = true;
        lock.unlock();
        try {
            run_();
        } catch (const TurnOver&) {
        }
        lock.lock();
        lent_ = false;
        changed_.notify_all();
    }
}

}  // namespace api
