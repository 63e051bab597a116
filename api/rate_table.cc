#include "api/rate_table.h"

#include <algorithm>
#include <bit>

namespace api {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kWaitSecondsMax = 60;

}  // namespace

RateTable::RateTable(const Rate& rate, std::size_t entries)
    : interval_(kSecond / std::max<std::int64_t>(rate.per_second, 1)),
      burst_(interval_ * std::max<std::int64_t>(rate.burst, 1)),
      sets_(rate.per_second == 0 ? 0 : std::bit_ceil(std::max(entries, kWays)) / kWays) {}

RateTable::Entry& RateTable::entry_of(Set& set, std::uint64_t who) {
    const auto known = std::ranges::find(set, who, &Entry::who);
    if (known != set.end()) return *known;
    auto& place = *std::ranges::min_element(set, {}, &Entry::full_at);
    place = {.who = who, .full_at = 0};
    return place;
}

std::uint32_t RateTable::take(std::uint64_t who, Time now) {
    if (sets_.empty()) return 0;
    const auto index = who & (sets_.size() - 1);
    const auto time =
        std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
    const std::lock_guard lock(locks_[index % kLocks]);
    auto& entry = entry_of(sets_[index], std::max<std::uint64_t>(who, 1));
    const auto full_at = std::max(entry.full_at, time) + interval_;
    const auto too_early = full_at - time - burst_;
    if (too_early <= 0) {
        entry.full_at = full_at;
        return 0;
    }
    const auto seconds = std::min((too_early + kSecond - 1) / kSecond, kWaitSecondsMax);
    return static_cast<std::uint32_t>(seconds);
}

}  // namespace api
