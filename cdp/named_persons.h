#pragma once

#include <span>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "identity/graph.h"
#include "storage/transaction.h"

namespace cdp {

// A person, and the first of the identifiers named that is theirs, as they have it.
struct NamedPerson {
    Token asked = {};
    PersonId person = {};
};

// Whom identifiers name, each once and in that order; a hash that nobody has names who has the
// address or number. What nobody has, and what several people have, names nobody. Errors, when
// nobody is named: person_unknown (not_found); identifier_shared (conflict), when one of them is
// several people's.
Result<std::vector<NamedPerson>> named_persons(const identity::Graph& graph,
                                               storage::Transaction& transaction,
                                               std::span<const Token> named);

}  // namespace cdp
