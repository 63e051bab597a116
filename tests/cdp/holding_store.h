#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "tests/support/forwarding_store.h"

namespace tests {

// A store whose disk stands still: commits wait until they are let through.
class HoldingStore final : public ForwardingStore {
public:
    using ForwardingStore::ForwardingStore;

    void commit(std::vector<storage::Transaction> transactions, storage::Committed done) override {
        {
            const std::lock_guard lock(mutex_);
            if (holds_) {
                held_.emplace_back(std::move(transactions), std::move(done));
                changed_.notify_all();
                return;
            }
        }
        ForwardingStore::commit(std::move(transactions), std::move(done));
    }

    void hold() {
        const std::lock_guard lock(mutex_);
        holds_ = true;
    }
    // Comes back when so many commits wait.
    void await_held(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return held_.size() == count; });
    }
    // What waits, and nothing that comes because of it.
    void let_through() {
        std::unique_lock lock(mutex_);
        auto waiting = std::exchange(held_, {});
        lock.unlock();
        for (auto& [transactions, done] : waiting)
            ForwardingStore::commit(std::move(transactions), std::move(done));
    }
    void release() {
        {
            const std::lock_guard lock(mutex_);
            holds_ = false;
        }
        let_through();
    }

private:
    std::mutex mutex_;  // guards all below
    std::condition_variable changed_;
    bool holds_ = false;
    std::vector<std::pair<std::vector<storage::Transaction>, storage::Committed>> held_;
};

}  // namespace tests
