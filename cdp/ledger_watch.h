#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "cdp/base/clock.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "consent/ledger_check.h"
#include "storage/beat.h"

namespace cdp {

// Holds the ledger against everything it speaks of while others are served, so that what does not
// fit is found before somebody asks for a proof. Safe to use from many threads.
class LedgerWatch {
public:
    struct Pace {
        std::chrono::milliseconds first{std::chrono::minutes{10}};  // after the start
        std::chrono::milliseconds cycle{0};  // from the end of one check to the next; 0: none is
        unsigned rest = 9;                   // times as long as it worked
    };
    using Check = std::function<Result<consent::LedgerChecked>(const consent::LedgerProgress&)>;

    LedgerWatch(Check check, const Clock& clock) : check_(std::move(check)), clock_(clock) {}
    LedgerWatch(const LedgerWatch&) = delete;
    LedgerWatch& operator=(const LedgerWatch&) = delete;

    // Once. Its thread ends with it, amid a check too.
    void begin(const Pace& pace);

    struct Seen {
        std::uint64_t checks = 0;   // that came to an end, in this process
        std::uint64_t entries = 0;  // of the last one
        bool damaged = false;       // by the last one; what it is stands in the log
        Timestamp through{};        // when it ended; 1970: never
    };
    Seen seen() const;

private:
    std::chrono::milliseconds look(storage::Beat& beat);
    void note(const Result<consent::LedgerChecked>& checked);

    const Check check_;
    const Clock& clock_;
    Pace pace_;
    bool waited_ = false;  // its thread's own

    mutable std::mutex mutex_;
    Seen seen_;
    std::unique_ptr<storage::Beat> beat_;  // last: it uses all of the above
};

}  // namespace cdp
