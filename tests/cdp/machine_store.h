#pragma once

#include <limits>
#include <memory>
#include <string>

#include "storage/database_files.h"
#include "storage/scrubber.h"
#include "storage/space_watch.h"
#include "tests/storage/trusted_time.h"
#include "tests/support/forwarding_store.h"

namespace tests {

// A store whose rows are in memory, on a machine with a clock and a disk.
class MachineStore final : public ForwardingStore, public storage::DatabaseFiles {
public:
    // The clock is ahead of what is trusted by so much.
    explicit MachineStore(std::chrono::milliseconds ahead = std::chrono::milliseconds{0}) {
        set_back(folder_ / "time", ahead);
        time_ = storage::TrustedTime::keep(folder_ / "time", folder_.path());
    }

    void accept_clock() { REQUIRE(time_->accept()); }
    // All of the disk is reserved, and some of it used.
    void run_low() {
        space_.keep({.bytes = std::numeric_limits<std::uint64_t>::max(), .percent_max = 100});
        REQUIRE(space_.low());
    }

    cdp::Result<void> link_to(const std::string&) const override { return no_files(); }
    cdp::Result<void> scrub() const override { return no_files(); }
    storage::CompactionDebt compaction_debt() const override { return {}; }
    storage::TrustedTime* time() const override { return time_.get(); }
    storage::SpaceWatch& space() const override { return space_; }
    storage::Scrubber& scrubber() const override { return scrubber_; }

private:
    static cdp::Error no_files() {
        return {.code = cdp::ErrorCode::unavailable, .reason = "no_files"};
    }

    Folder folder_;
    std::unique_ptr<storage::TrustedTime> time_;
    mutable storage::SpaceWatch space_{folder_.path()};
    mutable storage::Scrubber scrubber_{[] { return std::vector<storage::TableFile>(); }, ""};
};

}  // namespace tests
