#pragma once

#include <optional>
#include <string_view>

#include "cdp/base/time.h"
#include "consent/policy.h"

// The policy's rows, asked at a place and a moment. Pure.
namespace consent {

// The regime of a purpose for a channel in a jurisdiction; empty: where that is not known.
Regime regime_in(const Purpose& purpose, std::string_view channel, std::string_view jurisdiction);

// When the hours that are quiet now end; nullopt: they are not.
std::optional<cdp::Timestamp> quiet_until(const QuietHours& rule, cdp::Timestamp now);

// The next moment after `now` at which quiet hours begin or end.
cdp::Timestamp next_turn(const QuietHours& rule, cdp::Timestamp now);

// It brings messages to people, rather than use of their data.
bool is_message(Medium medium);

}  // namespace consent
