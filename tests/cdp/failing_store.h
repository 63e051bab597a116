#pragma once

#include <limits>
#include <utility>
#include <vector>

#include "tests/support/forwarding_store.h"

namespace tests {

// A store that stops taking commits after so many, as if the process had been killed there.
class FailingStore final : public ForwardingStore {
public:
    static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

    using ForwardingStore::ForwardingStore;

    std::uint64_t& commits_left() { return left_; }
    // Whether the first that it does not take is written all the same, and nobody is told.
    bool& loses_answer() { return loses_answer_; }

    void commit(std::vector<storage::Transaction> transactions, storage::Committed done) override {
        if (left_ != kNever && left_-- == 0) {
            left_ = 0;
            const storage::CommitOutcome unknown{.error = {.code = cdp::ErrorCode::unavailable,
                                                           .reason = "interrupted",
                                                           .message = "Interrupted."}};
            std::vector<storage::CommitOutcome> outcomes(transactions.size(), unknown);
            if (!std::exchange(loses_answer_, false)) return done(std::move(outcomes));
            return ForwardingStore::commit(
                std::move(transactions),
                [done = std::move(done), outcomes = std::move(outcomes)](auto) { done(outcomes); });
        }
        ForwardingStore::commit(std::move(transactions), std::move(done));
    }

private:
    std::uint64_t left_ = kNever;
    bool loses_answer_ = false;
};

}  // namespace tests
