#pragma once

#include <memory>
#include <utility>

#include "storage/memory_store.h"
#include "storage/store.h"

namespace tests {

// What another store does, one in memory unless told: a fake on top of it says no more than where
// it differs.
class ForwardingStore : public storage::Store {
public:
    explicit ForwardingStore(std::unique_ptr<storage::Store> store = storage::make_memory_store())
        : store_(std::move(store)) {}

    std::unique_ptr<storage::Snapshot> snapshot() const override { return store_->snapshot(); }
    void commit(std::vector<storage::Transaction> transactions, storage::Committed done) override {
        store_->commit(std::move(transactions), std::move(done));
    }
    bool current(const storage::ReadSet& reads) const override { return store_->current(reads); }
    Counts counts() const override { return store_->counts(); }
    std::size_t waiting() const override { return store_->waiting(); }
    storage::Health health() const override { return store_->health(); }

private:
    std::unique_ptr<storage::Store> store_;
};

// The same of a snapshot.
class ForwardingSnapshot : public storage::Snapshot {
public:
    explicit ForwardingSnapshot(std::unique_ptr<storage::Snapshot> snapshot)
        : snapshot_(std::move(snapshot)) {}

    storage::Version version() const override { return snapshot_->version(); }
    cdp::Result<std::optional<std::string>> get(std::string_view key) const override {
        return snapshot_->get(key);
    }
    cdp::Result<std::vector<std::optional<std::string>>> multi_get(
        std::span<const std::string> keys) const override {
        return snapshot_->multi_get(keys);
    }
    cdp::Result<void> scan(std::string_view prefix, std::string_view from,
                           const storage::Visit& visit) const override {
        return snapshot_->scan(prefix, from, visit);
    }

private:
    std::unique_ptr<storage::Snapshot> snapshot_;
};

}  // namespace tests
