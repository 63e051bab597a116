#pragma once

#include <limits>

#include "tests/support/forwarding_store.h"

namespace tests {

// A store that stops taking commits after so many, as if the process had been killed there.
class FailingStore final : public ForwardingStore {
public:
    static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

    using ForwardingStore::ForwardingStore;

    std::uint64_t& commits_left() { return left_; }

    void commit(std::vector<storage::Transaction> transactions, storage::Committed done) override {
        if (left_ != kNever && left_-- == 0) {
            left_ = 0;
            done(std::vector<storage::CommitOutcome>(transactions.size(),
                                                     {.error = {.code = cdp::ErrorCode::unavailable,
                                                                .reason = "interrupted",
                                                                .message = "Interrupted."}}));
            return;
        }
        ForwardingStore::commit(std::move(transactions), std::move(done));
    }

private:
    std::uint64_t left_ = kNever;
};

}  // namespace tests
