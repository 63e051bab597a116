#pragma once

#include "tests/support/forwarding_store.h"

namespace tests {

// A store that counts the rows its snapshots were asked for or visited.
class CountingStore final : public ForwardingStore {
public:
    using ForwardingStore::ForwardingStore;

    std::size_t& reads() { return reads_; }

    std::unique_ptr<storage::Snapshot> snapshot() const override {
        return std::make_unique<Counting>(ForwardingStore::snapshot(), reads_);
    }

private:
    class Counting final : public ForwardingSnapshot {
    public:
        Counting(std::unique_ptr<storage::Snapshot> snapshot, std::size_t& reads)
            : ForwardingSnapshot(std::move(snapshot)), reads_(reads) {}

        cdp::Result<std::optional<std::string>> get(std::string_view key) const override {
            ++reads_;
            return ForwardingSnapshot::get(key);
        }
        cdp::Result<std::vector<std::optional<std::string>>> multi_get(
            std::span<const std::string> keys) const override {
            reads_ += keys.size();
            return ForwardingSnapshot::multi_get(keys);
        }
        cdp::Result<void> scan(std::string_view prefix, std::string_view from,
                               const storage::Visit& visit) const override {
            return ForwardingSnapshot::scan(prefix, from,
                                            [&](std::string_view key, std::string_view value) {
                                                ++reads_;
                                                return visit(key, value);
                                            });
        }

    private:
        std::size_t& reads_;
    };

    mutable std::size_t reads_ = 0;
};

}  // namespace tests
