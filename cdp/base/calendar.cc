#include "cdp/base/calendar.h"

namespace cdp {

Timestamp months_later(Timestamp time, std::chrono::months months) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    auto date = std::chrono::year_month_day(day) + months;
    if (!date.ok()) date = date.year() / date.month() / std::chrono::last;
    return Timestamp(std::chrono::sys_days(date) + (time - day));
}

Timestamp business_days_later(Timestamp time, int days) {
    while (days > 0) {
        time += std::chrono::days(1);
        const std::chrono::weekday day(std::chrono::floor<std::chrono::days>(time));
        if (day != std::chrono::Saturday && day != std::chrono::Sunday) --days;
    }
    return time;
}

}  // namespace cdp
