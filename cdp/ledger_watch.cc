#include "cdp/ledger_watch.h"

#include <algorithm>
#include <utility>

#include "cdp/base/log.h"

namespace cdp {
namespace {

using Moment = std::chrono::steady_clock;

// After one that could not read the store to its end.
constexpr std::chrono::milliseconds kAgain{std::chrono::hours{1}};

void complain(const char* event, const std::string& detail) {
    log::write(log::Level::error, event, {{"detail", log::safe(detail)}});
}

std::string described(const consent::LedgerFault& fault) {
    auto text = fault.what;
    if (fault.index) text += " " + std::to_string(*fault.index);
    return text + ": " + fault.why;
}

}  // namespace

void LedgerWatch::begin(const Pace& pace) {
    if (pace.cycle.count() == 0 || beat_) return;
    pace_ = pace;
    beat_ = std::make_unique<storage::Beat>([this](storage::Beat& beat) { return look(beat); });
}

LedgerWatch::Seen LedgerWatch::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

std::chrono::milliseconds LedgerWatch::look(storage::Beat& beat) {
    if (!std::exchange(waited_, true)) return pace_.first;
    auto began = Moment::now();
    const auto checked = check_([&](std::string_view, std::uint64_t) {
        const auto worked = Moment::now() - began;
        const auto rest =
            std::chrono::duration_cast<std::chrono::milliseconds>(worked * pace_.rest);
        const bool goes_on = beat.pause(rest);
        began = Moment::now();
        return goes_on;
    });
    if (!checked && checked.error().reason == "stopped") return pace_.cycle;
    note(checked);
    return checked ? pace_.cycle : std::min(pace_.cycle, kAgain);
}

void LedgerWatch::note(const Result<consent::LedgerChecked>& checked) {
    if (!checked) {
        const auto& error = checked.error();
        complain("ledger_unread", error.reason + (error.detail.empty() ? "" : ": ") + error.detail);
        return;
    }
    if (checked->fault) complain("ledger_damaged", described(*checked->fault));
    const std::lock_guard lock(mutex_);
    ++seen_.checks;
    seen_.entries = checked->entries;
    seen_.damaged = checked->fault.has_value();
    seen_.through = clock_.now();
}

}  // namespace cdp
