#pragma once

#include <chrono>

#include "cdp/base/time.h"

namespace storage {

// How far a clock is believed that may be set to anything at any time; docs/decisions/0038. Pure:
// what it is to know of the world it is told by `look`.
//
// What is trusted never goes back by itself. It follows the clock as long as that is at most a leap
// ahead of what can be accounted for; beyond, it goes on by as much time as is seen to pass.
class ClockTrust {
public:
    // What a clock may be ahead for no reason that we know: short of it nothing is lost, for all
    // that we keep for a while is kept for more than a day.
    static constexpr std::chrono::hours kLeap{24};
    // So long the machine's own time service must have stood by a clock that is further ahead, by
    // at most kPause, without its being set: then the process was off for that long.
    static constexpr std::chrono::hours kVouchedFor{6};
    static constexpr std::chrono::hours kPause{24 * 92};

    explicit ClockTrust(cdp::Timestamp trusted) : trusted_(trusted), clock_(trusted) {}

    struct Look {
        cdp::Timestamp clock;
        std::chrono::milliseconds passed{0};  // since the last look, by a clock that nobody sets
        bool vouched = false;                 // the machine's time service keeps the clock
    };
    void look(const Look& look);

    // Somebody says that the clock is right, ahead or back.
    void accept(cdp::Timestamp clock);

    cdp::Timestamp trusted() const { return trusted_; }
    // By the last look the clock is not too far ahead. One that is behind is believed: by it
    // nothing goes too early.
    bool believed() const { return believed_; }
    // What is trusted less what the clock said at the last look: 0 as a rule.
    std::chrono::milliseconds skew() const { return trusted_ - clock_; }

private:
    cdp::Timestamp trusted_;
    cdp::Timestamp clock_;
    std::chrono::milliseconds unraised_{0};  // seen to pass since `trusted_` was raised last
    std::chrono::milliseconds vouched_{0};
    bool believed_ = true;
};

}  // namespace storage
