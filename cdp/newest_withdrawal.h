#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "cdp/committed.h"
#include "consent/decision.h"

// When somebody withdrew.
namespace cdp {

struct NewestWithdrawal {
    Committed said;
    Timestamp received{};  // of a stamp that repeats its cell after a grant of that day: its own
};

// The newest withdrawal among what was said; of one purpose if that is not empty. A record that
// denies is one. A stamp is, unless what it denies was denied already: SDKs repeat theirs each day.
// `members` hold the facts of the same identifiers, refined: of a day on which somebody changed
// their mind every moment counts.
std::optional<NewestWithdrawal> newest_withdrawal(const std::vector<Committed>& said,
                                                  std::span<const consent::Member> members,
                                                  std::string_view purpose);

}  // namespace cdp
