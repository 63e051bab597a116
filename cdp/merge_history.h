#pragma once

#include <optional>

#include "cdp/person_then.h"
#include "identity/change.h"

// When two identifiers came to be one person.
namespace cdp {

// A change of persons with its version in the log.
struct Logged {
    std::uint64_t version = 0;
    identity::Change change;
};

struct Merge {
    Timestamp time{};
    PersonThen a;  // just before
    PersonThen b;
    std::optional<Logged> change = {};
};

// The latest moment at which they were two and became one; nullopt: they never were two that is
// known.
Result<std::optional<Merge>> last_merge(const identity::Graph& graph,
                                        const storage::Snapshot& snapshot,
                                        storage::Transaction& transaction, const Token& a,
                                        const Token& b);

}  // namespace cdp
