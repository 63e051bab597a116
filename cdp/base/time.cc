#include "cdp/base/time.h"

#include <cstdio>

namespace cdp {
namespace {

// Reads fields off the front of a text; once a field does not fit, everything after fails.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    int number(std::size_t digits) {
        if (text_.size() < digits) return fail();
        int value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            if (!is_digit(text_[i])) return fail();
            value = value * 10 + (text_[i] - '0');
        }
        text_.remove_prefix(digits);
        return value;
    }
    bool take(std::string_view any_of) {
        if (text_.empty() || any_of.find(text_.front()) == std::string_view::npos) return false;
        text_.remove_prefix(1);
        return true;
    }
    void need(std::string_view any_of) {
        if (!take(any_of)) fail();
    }
    // A fraction of a second, cut to milliseconds.
    int fraction() {
        int value = 0;
        int digits = 0;
        while (!text_.empty() && is_digit(text_.front())) {
            if (digits < 3) value = value * 10 + (text_.front() - '0');
            ++digits;
            text_.remove_prefix(1);
        }
        if (digits == 0) return fail();
        for (int i = digits; i < 3; ++i) value *= 10;
        return value;
    }
    bool done() const { return text_.empty(); }
    bool ok() const { return ok_; }

private:
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }
    int fail() {
        ok_ = false;
        return 0;
    }

    std::string_view text_;
    bool ok_ = true;
};

}  // namespace

std::int32_t day_of(Timestamp time) {
    return static_cast<std::int32_t>(
        std::chrono::floor<std::chrono::days>(time).time_since_epoch().count());
}

std::optional<Timestamp> parse_time(std::string_view text) {
    Reader in(text);
    const int year = in.number(4);
    in.need("-");
    const int month = in.number(2);
    in.need("-");
    const int day = in.number(2);
    if (!in.ok()) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (year < 1 || !date.ok()) return std::nullopt;
    Timestamp time = std::chrono::sys_days{date};
    if (in.done()) return time;

    in.need("Tt ");
    const int hour = in.number(2);
    in.need(":");
    const int minute = in.number(2);
    int second = 0;
    int millisecond = 0;
    if (in.take(":")) {
        second = in.number(2);
        if (in.take(".,")) millisecond = in.fraction();
    }
    // 60 is a leap second (RFC 3339 section 5.7); it counts as the next second's start.
    if (!in.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    time += std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second} +
            std::chrono::milliseconds{millisecond};
    if (in.take("Zz")) return in.done() ? std::optional(time) : std::nullopt;

    const bool ahead = in.take("+");
    if (!ahead) in.need("-");
    const int offset_hours = in.number(2);
    in.take(":");
    const int offset_minutes = in.done() ? 0 : in.number(2);
    if (!in.ok() || !in.done() || offset_hours > 23 || offset_minutes > 59) return std::nullopt;
    const auto offset = std::chrono::hours{offset_hours} + std::chrono::minutes{offset_minutes};
    return ahead ? time - offset : time + offset;
}

std::string format_time(Timestamp time) {
    const auto days = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{days};
    const std::chrono::hh_mm_ss clock{time - days};
    char buffer[48];
    const int n = std::snprintf(
        buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
        static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
    return {buffer, static_cast<std::size_t>(n)};
}

std::string format_day(std::int32_t day) {
    return format_time(Timestamp{std::chrono::sys_days{std::chrono::days{day}}}).substr(0, 10);
}

}  // namespace cdp
