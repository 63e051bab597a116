#pragma once

#include <memory>
#include <utility>

#include "storage/journal.h"

namespace tests {

// A journal that outlives who writes it, as files do, and fails when told.
class FaultyJournal {
public:
    explicit FaultyJournal(
        std::unique_ptr<storage::Journal> journal = storage::make_memory_journal())
        : journal_(std::move(journal)) {}

    bool appends_fail = false;  // as on a full disk
    bool drops_fail = false;    // as if the process ended before it could drop
    storage::Journal& journal() { return *journal_; }

    // For one platform. The next one finds what this one left cut.
    std::unique_ptr<storage::Journal> hand_over() {
        journal_->cut();
        return std::make_unique<Handed>(*this);
    }

private:
    class Handed final : public storage::Journal {
    public:
        explicit Handed(FaultyJournal& owner) : owner_(owner) {}

        cdp::Result<void> append(std::string_view record) override {
            if (owner_.appends_fail)
                return cdp::Error{.code = cdp::ErrorCode::storage_full,
                                  .reason = "disk_full",
                                  .message = "The disk is full."};
            return owner_.journal_->append(record);
        }
        std::uint64_t segment() const override { return owner_.journal_->segment(); }
        std::uint64_t bytes() const override { return owner_.journal_->bytes(); }
        void cut() override { owner_.journal_->cut(); }
        void start_after(std::uint64_t segment) override { owner_.journal_->start_after(segment); }
        cdp::Result<std::vector<std::uint64_t>> segments() const override {
            return owner_.journal_->segments();
        }
        cdp::Result<void> sync(std::uint64_t segment) override {
            return owner_.journal_->sync(segment);
        }
        cdp::Result<Unread> read(
            std::uint64_t segment,
            const std::function<void(std::string_view)>& visit) const override {
            return owner_.journal_->read(segment, visit);
        }
        cdp::Result<void> drop(std::uint64_t segment) override {
            if (owner_.drops_fail)
                return cdp::Error{.code = cdp::ErrorCode::unavailable,
                                  .reason = "interrupted",
                                  .message = "Interrupted."};
            return owner_.journal_->drop(segment);
        }

    private:
        FaultyJournal& owner_;
    };

    std::unique_ptr<storage::Journal> journal_;
};

}  // namespace tests
