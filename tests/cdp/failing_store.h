#pragma once

#include <limits>
#include <memory>
#include <utility>

#include "storage/store.h"

namespace tests {

// A store that stops taking commits after so many, as if the process had been killed there.
class FailingStore final : public storage::Store {
public:
    static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

    explicit FailingStore(std::unique_ptr<storage::Store> store) : store_(std::move(store)) {}

    std::uint64_t& commits_left() { return left_; }

    std::unique_ptr<storage::Snapshot> snapshot() const override { return store_->snapshot(); }
    void commit(std::vector<storage::Transaction> transactions, storage::Committed done) override {
        if (left_ != kNever && left_-- == 0) {
            left_ = 0;
            done(std::vector<storage::CommitOutcome>(transactions.size(),
                                                     {.error = {.code = cdp::ErrorCode::unavailable,
                                                                .reason = "interrupted",
                                                                .message = "Interrupted."}}));
            return;
        }
        store_->commit(std::move(transactions), std::move(done));
    }
    bool current(const storage::ReadSet& reads) const override { return store_->current(reads); }
    Counts counts() const override { return store_->counts(); }
    std::size_t waiting() const override { return store_->waiting(); }
    storage::Health health() const override { return store_->health(); }

private:
    std::unique_ptr<storage::Store> store_;
    std::uint64_t left_ = kNever;
};

}  // namespace tests
