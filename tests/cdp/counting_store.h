#pragma once

#include <memory>
#include <utility>

#include "storage/store.h"

namespace tests {

// A store that counts the rows its snapshots were asked for or visited.
class CountingStore final : public storage::Store {
public:
    explicit CountingStore(std::unique_ptr<storage::Store> store) : store_(std::move(store)) {}

    std::size_t& reads() { return reads_; }

    std::unique_ptr<storage::Snapshot> snapshot() const override {
        return std::make_unique<Counting>(store_->snapshot(), reads_);
    }
    void commit(std::vector<storage::Transaction> transactions, storage::Committed done) override {
        store_->commit(std::move(transactions), std::move(done));
    }
    bool current(const storage::ReadSet& reads) const override { return store_->current(reads); }
    Counts counts() const override { return store_->counts(); }
    std::size_t waiting() const override { return store_->waiting(); }
    storage::Health health() const override { return store_->health(); }

private:
    class Counting final : public storage::Snapshot {
    public:
        Counting(std::unique_ptr<storage::Snapshot> snapshot, std::size_t& reads)
            : snapshot_(std::move(snapshot)), reads_(reads) {}

        storage::Version version() const override { return snapshot_->version(); }
        cdp::Result<std::optional<std::string>> get(std::string_view key) const override {
            ++reads_;
            return snapshot_->get(key);
        }
        cdp::Result<std::vector<std::optional<std::string>>> multi_get(
            std::span<const std::string> keys) const override {
            reads_ += keys.size();
            return snapshot_->multi_get(keys);
        }
        cdp::Result<void> scan(std::string_view prefix, std::string_view from,
                               const storage::Visit& visit) const override {
            return snapshot_->scan(prefix, from, [&](std::string_view key, std::string_view value) {
                ++reads_;
                return visit(key, value);
            });
        }

    private:
        std::unique_ptr<storage::Snapshot> snapshot_;
        std::size_t& reads_;
    };

    std::unique_ptr<storage::Store> store_;
    mutable std::size_t reads_ = 0;
};

}  // namespace tests
