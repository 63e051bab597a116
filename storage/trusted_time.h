#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "cdp/base/result.h"
#include "storage/beat.h"
#include "storage/clock_trust.h"
#include "storage/store.h"

namespace storage {

// What the clocks of this machine say.
struct MachineTime {
    cdp::Timestamp clock{};
    std::chrono::milliseconds running{0};  // since it was started, however the clock is set
};
MachineTime machine_time();
// The kernel says that a time service keeps the clock, and means the same clock.
bool clock_is_kept();

// The time by which a data folder deletes what it keeps for a while; docs/decisions/0038. How far
// it had come is kept in a file, which follows within ten minutes. Safe to use from many threads.
class TrustedTime {
public:
    // For tests: other clocks, and none but its own looks.
    struct Machine {
        std::function<MachineTime()> time = machine_time;
        std::function<bool()> kept = clock_is_kept;
        std::chrono::milliseconds every{60'000};  // it looks by itself
    };

    // Without a file at `path` it begins where the newest file in `folder` was written: there was
    // none yet. A file that cannot be read counts as none, and is told.
    static std::unique_ptr<TrustedTime> keep(const std::string& path, const std::string& folder);
    static std::unique_ptr<TrustedTime> keep(const std::string& path, const std::string& folder,
                                             Machine machine);
    // Writes how far it has come.
    ~TrustedTime();
    TrustedTime(const TrustedTime&) = delete;
    TrustedTime& operator=(const TrustedTime&) = delete;

    struct Standing {
        cdp::Timestamp clock{};
        cdp::Timestamp trusted{};
        bool believed = true;  // the clock

        std::chrono::milliseconds ahead() const {
            return believed ? std::chrono::milliseconds{0} : clock - trusted;
        }
    };
    // As of now. Cheap: two looks at a clock.
    Standing standing();

    // What is past by the clock and by what is trusted: what has expired by then may go.
    cdp::Timestamp earliest();

    // An operator says that the clock is right. Durable when it returns.
    cdp::Result<Standing> accept();

private:
    TrustedTime(std::string path, cdp::Timestamp began, Machine machine);
    Standing look(bool kept);
    std::chrono::milliseconds watch();
    // How far it has come now; unless `always`, nothing when the file is close behind.
    cdp::Result<void> write(bool always);

    const std::string path_;
    const Machine machine_;

    std::mutex mutex_;
    ClockTrust trust_;
    std::chrono::milliseconds seen_;  // by the clock that nobody sets
    bool kept_ = false;               // when it was last asked

    std::mutex file_;           // held by who writes it
    cdp::Timestamp written_{};  // to it, by this process

    bool told_ = false;  // that the clock is not believed; the thread's own
    Beat beat_;          // last: it uses all of the above
};

// nullptr: the store lies in memory, or keeps none.
TrustedTime* trusted_time_of(const Store& store);

// What the store trusts less what the clock of the machine says: less than 0 while that is too far
// ahead, more while it is behind, else 0. What is deleted for good goes by the earlier of the two,
// what is to be kept for a while is kept from the later.
std::chrono::milliseconds clock_skew(const Store& store);

// The earlier one, `now` being what the clock says.
cdp::Timestamp earliest_time(const Store& store, cdp::Timestamp now);

}  // namespace storage
