#pragma once

#include <chrono>

#include "cdp/base/time.h"

// Days as laws count them. All in UTC; the time of day stays.
namespace cdp {

// The same day of a later month; the last of that month when it has no such day.
Timestamp months_later(Timestamp time, std::chrono::months months);

// So many Mondays to Fridays later. Holidays are not known: the day is never later than one
// that counts them.
Timestamp business_days_later(Timestamp time, int days);

}  // namespace cdp
