#pragma once

#include <optional>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "identity/graph.h"

namespace cdp {

struct PersonThen {
    PersonId id{};
    std::vector<Token> members = {};  // sorted
};

// The person that an identifier was of at a moment, as it was known then, with its identifiers.
// nullopt: nobody's that is known.
Result<std::optional<PersonThen>> person_then(const identity::Graph& graph,
                                              storage::Transaction& transaction, const Token& token,
                                              Timestamp at);

// When the person of an identifier became another, newest first.
Result<std::vector<Timestamp>> person_turns(storage::Transaction& transaction, const Token& token);

}  // namespace cdp
