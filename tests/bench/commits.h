#pragma once

#include <algorithm>
#include <cstdint>

#include "cdp/base/assert.h"
#include "storage/key.h"
#include "storage/store.h"

namespace bench {

// `put(transaction, n)` for every n below `count`, ten thousand a commit.
template <typename Put>
void put_in_commits(storage::Store& store, std::uint64_t count, const Put& put) {
    constexpr std::uint64_t kAtOnce = 10'000;
    for (std::uint64_t first = 0; first < count; first += kAtOnce) {
        const auto snapshot = store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        for (auto n = first; n < std::min(count, first + kAtOnce); ++n) put(transaction, n);
        CDP_ASSERT(commit_and_wait(store, std::move(transaction)).state ==
                   storage::CommitState::ok);
    }
}

}  // namespace bench
