#include "storage/clock_trust.h"

namespace storage {
namespace {

// Between two looks, for the better of two clocks that are read one after the other.
constexpr std::chrono::seconds kSlip{10};

}  // namespace

void ClockTrust::look(const Look& look) {
    const auto slip = std::chrono::abs(look.clock - clock_ - look.passed);
    const auto passed = unraised_ + look.passed;
    clock_ = look.clock;
    believed_ = look.clock <= trusted_ + passed + kLeap;
    unraised_ = std::chrono::milliseconds{0};
    if (look.clock < trusted_) {
        unraised_ = passed;
    } else if (believed_) {
        trusted_ = look.clock;
    } else {
        trusted_ += passed;
    }
    const bool kept = !believed_ && look.vouched && slip <= kSlip;
    vouched_ = kept ? vouched_ + look.passed : std::chrono::milliseconds{0};
    if (vouched_ >= kVouchedFor && look.clock - trusted_ <= kPause) accept(look.clock);
}

void ClockTrust::accept(cdp::Timestamp clock) {
    *this = ClockTrust(clock);
}

}  // namespace storage
