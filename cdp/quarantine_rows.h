#pragma once

#include <span>
#include <string>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "identity/assertion.h"
#include "storage/transaction.h"

// Whose refusals go on counting after an operator split them off: the rows of Space::quarantine.
namespace cdp {

// An identifier that refused for a whole person, and when it was split off.
struct Quarantined {
    Token token;
    Timestamp since{};

    friend bool operator==(const Quarantined&, const Quarantined&) = default;
};

// One person that an assertion split.
struct Split {
    identity::AssertionId assertion;
    Token anchor;  // of the person before
    Timestamp time{};
    std::vector<Token> members = {};   // all that it had
    std::vector<Token> refusing = {};  // those under which somebody refused for the whole person
};

void write_split(storage::Transaction& transaction, const Split& split);

// Whether anything is quarantined, for anybody, is one row: most folders have none.
Result<std::uint32_t> open_quarantines(storage::Transaction& transaction);
Result<bool> is_open(storage::Transaction& transaction, const identity::AssertionId& assertion);
Result<void> open_quarantine(storage::Transaction& transaction,
                             const identity::AssertionId& assertion);
Result<void> close_quarantine(storage::Transaction& transaction,
                              const identity::AssertionId& assertion);

Result<std::vector<identity::AssertionId>> all_open(storage::Transaction& transaction);
// The identifier was of a person that the assertion split.
Result<bool> was_split(storage::Transaction& transaction, const Token& token,
                       const identity::AssertionId& assertion);

inline constexpr std::size_t kQuarantinedMax = 1'000;  // of one person

// Who refused for the person that these identifiers, a whole person of today, were part of, and is
// not among them now. Sorted by token, each once. Error unavailable, quarantine_too_large: more
// than kQuarantinedMax.
Result<std::vector<Quarantined>> quarantined_from(storage::Transaction& transaction,
                                                  std::span<const Token> members);

// Where the fact of a quarantine is, and those of all, newest first.
std::string quarantine_key(const identity::AssertionId& assertion);
std::string quarantines_prefix();

}  // namespace cdp
