#include "consent/clocks.h"

#include <algorithm>
#include <tuple>

namespace consent {
namespace {

constexpr std::chrono::minutes kDay = std::chrono::days{1};

// Whether the list names it; a list that names nobody is for all.
bool applies(const std::vector<std::string>& channels, std::string_view channel) {
    return channels.empty() || std::ranges::find(channels, channel) != channels.end();
}

// How narrowly a row names the place: the length of the code, 0 for every place; -1: not at all.
int narrowness(const RegimeRow& row, std::string_view place) {
    if (row.jurisdictions.empty()) return 0;
    int best = -1;
    for (const auto& jurisdiction : row.jurisdictions)
        if (holds_for(jurisdiction, place)) best = std::max(best, int(jurisdiction.size()));
    return best;
}

// Minutes of the local day.
std::chrono::milliseconds time_of_day(const QuietHours& rule, cdp::Timestamp now) {
    const auto local = now + rule.offset;
    return local - std::chrono::floor<std::chrono::days>(local);
}

// How long from a time of the day to the next time it is `then`; never nothing.
std::chrono::milliseconds wait(std::chrono::milliseconds time, std::chrono::minutes then) {
    const auto left = then - time;
    return left > left.zero() ? left : left + kDay;
}

}  // namespace

Regime regime_in(const Purpose& purpose, std::string_view channel, std::string_view jurisdiction) {
    const RegimeRow* best = nullptr;
    std::pair<int, bool> most{-1, false};
    for (const RegimeRow& row : purpose.regimes) {
        if (!applies(row.channels, channel)) continue;
        const std::pair fit{narrowness(row, jurisdiction), !row.channels.empty()};
        if (fit.first < 0 || fit <= most) continue;
        best = &row;
        most = fit;
    }
    return best ? best->regime : purpose.regime;
}

std::optional<cdp::Timestamp> quiet_until(const QuietHours& rule, cdp::Timestamp now) {
    const auto time = time_of_day(rule, now);
    const bool quiet = rule.from < rule.until ? rule.from <= time && time < rule.until
                                              : rule.from <= time || time < rule.until;
    if (!quiet) return std::nullopt;
    return now + wait(time, rule.until);
}

cdp::Timestamp next_turn(const QuietHours& rule, cdp::Timestamp now) {
    const auto time = time_of_day(rule, now);
    return now + std::min(wait(time, rule.from), wait(time, rule.until));
}

bool is_message(Medium medium) {
    return medium != Medium::ads && medium != Medium::analytics;
}

}  // namespace consent
