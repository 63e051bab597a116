#pragma once

#include <utility>

namespace storage {

// Goes into RocksDB and comes back, or ends the process (std::terminate, which says why): an
// exception that passes through a read, for want of memory, leaves this thread's view of the tables
// taken, and the next read on it would end in an assertion. docs/decisions/0043.
template <typename Call>
auto through_door(Call&& call) noexcept {
    return std::forward<Call>(call)();
}

}  // namespace storage
