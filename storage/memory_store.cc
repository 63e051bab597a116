#include "storage/memory_store.h"

#include <mutex>

#include "storage/memory_rows.h"
#include "storage/sequencer.h"

namespace storage {
namespace {

class MemoryStore final : public Store {
public:
    std::unique_ptr<Snapshot> snapshot() const override {
        const Version version = sequencer_.published();
        return rows_.snapshot(version);
    }

    void commit(std::vector<Transaction> transactions, Committed done) override {
        std::vector<const Transaction*> group;
        for (const Transaction& transaction : transactions) group.push_back(&transaction);
        std::unique_lock lock(mutex_);
        auto outcomes = sequencer_.commit(group);
        lock.unlock();  // `done` may commit again
        done(std::move(outcomes));
    }

    bool current(const ReadSet& reads) const override { return sequencer_.current(reads); }
    Counts counts() const override { return sequencer_.counts(); }
    std::size_t waiting() const override { return 0; }
    Health health() const override { return sequencer_.health(); }

private:
    mutable MemoryRows rows_;
    Sequencer sequencer_{rows_};
    std::mutex mutex_;  // one commit at a time
};

}  // namespace

std::unique_ptr<Store> make_memory_store() {
    return std::make_unique<MemoryStore>();
}

}  // namespace storage
