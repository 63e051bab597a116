#include "tests/schedules/disk.h"

#include <chrono>
#include <thread>

#include "storage/committer.h"
#include "storage/sequencer.h"

namespace tests {
namespace {

cdp::Error failed() {
    return {.code = cdp::ErrorCode::unavailable,
            .reason = "storage_failed",
            .message = "The disk failed."};
}

}  // namespace

// One process's engine on the disk's rows.
class FaultyRows final : public storage::Engine {
public:
    FaultyRows(Disk& disk, const DiskFaults& faults) : disk_(disk), faults_(faults) {}

    cdp::Result<void> apply(std::span<const storage::Row> rows) override {
        auto& random = disk_.random_;
        if (disk_.crashed_) return failed();
        std::this_thread::sleep_for(std::chrono::microseconds(100 + random.below(5'000)));
        if (disk_.crashed_) {
            if (random.one_in(2)) {
                ++disk_.counts_.crashed_halfway;
                CDP_CHECK(disk_.rows_.apply(rows));
            }
            return failed();
        }
        if (faults_.fail_one_in != 0 && random.one_in(faults_.fail_one_in)) {
            ++disk_.counts_.failed;
            if (random.one_in(2)) {
                ++disk_.counts_.failed_whole;
                CDP_CHECK(disk_.rows_.apply(rows));
            }
            return failed();
        }
        if (faults_.lie_one_in != 0 && random.one_in(faults_.lie_one_in))
            return cdp::Result<void>::ok();
        return disk_.rows_.apply(rows);
    }

    cdp::Result<std::optional<std::string>> latest(std::string_view key) override {
        return disk_.rows_.latest(key);
    }

    storage::Health recover() override {
        return disk_.crashed_ || disk_.random_.one_in(3) ? storage::Health::read_only
                                                         : storage::Health::ok;
    }

    std::unique_ptr<storage::Snapshot> snapshot(storage::Version version) {
        return disk_.rows_.snapshot(version);
    }
    bool conflicts_without_need() const {
        return faults_.conflict_one_in != 0 && disk_.random_.one_in(faults_.conflict_one_in);
    }

private:
    Disk& disk_;
    const DiskFaults faults_;
};

namespace {

class SimulatedStore final : public storage::Store {
public:
    SimulatedStore(Disk& disk, const DiskFaults& faults)
        : engine_(disk, faults), committer_(sequencer_, {.transactions = faults.group_max}) {}

    std::unique_ptr<storage::Snapshot> snapshot() const override {
        const auto version = sequencer_.published();
        return engine_.snapshot(version);
    }
    void commit(std::vector<storage::Transaction> transactions, storage::Committed done) override {
        committer_.commit(std::move(transactions), std::move(done));
    }
    bool current(const storage::ReadSet& reads) const override {
        return !engine_.conflicts_without_need() && sequencer_.current(reads);
    }
    Counts counts() const override { return sequencer_.counts(); }
    std::size_t waiting() const override { return committer_.waiting(); }
    storage::Health health() const override { return sequencer_.health(); }

private:
    mutable FaultyRows engine_;
    storage::Sequencer sequencer_{engine_};
    storage::Committer committer_;
};

}  // namespace

std::unique_ptr<storage::Store> Disk::open(const DiskFaults& faults) {
    return std::make_unique<SimulatedStore>(*this, faults);
}

void Disk::crash() {
    crashed_ = true;
    journal_.appends_fail = true;
    journal_.drops_fail = true;
}

void Disk::start_again() {
    crashed_ = false;
    journal_.appends_fail = false;
    journal_.drops_fail = false;
}

}  // namespace tests
