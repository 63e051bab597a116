#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "cdp/committed.h"

// When somebody withdrew.
namespace cdp {

// The newest withdrawal among what was said, newest first; of one purpose if that is not empty. A
// record that denies is one. A stamp is, unless what it denies was denied already: SDKs repeat
// theirs each day.
std::optional<Committed> newest_withdrawal(const std::vector<Committed>& said,
                                           std::string_view purpose);

}  // namespace cdp
