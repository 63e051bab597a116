#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "storage/journal.h"

namespace tests {

// A journal that outlives who writes it, as files do, and fails when told.
class FaultyJournal {
public:
    explicit FaultyJournal(
        std::unique_ptr<storage::Journal> journal = storage::make_memory_journal())
        : journal_(std::move(journal)) {}

    std::atomic<bool> appends_fail = false;  // as on a full disk
    bool drops_fail = false;                 // as if the process ended before it could drop
    storage::Journal& journal() { return *journal_; }

    // As on a disk that stands still, from stall() to release().
    void stall() {
        const std::lock_guard lock(mutex_);
        stalled_ = true;
    }
    void release() {
        const std::lock_guard lock(mutex_);
        stalled_ = false;
        changed_.notify_all();
    }
    // Until something waits for the disk.
    void await_append() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return waiting_ > 0; });
    }

    // For one platform. The next one finds what this one left cut.
    std::unique_ptr<storage::Journal> hand_over() {
        journal_->cut();
        return std::make_unique<Handed>(*this);
    }

private:
    class Handed final : public storage::Journal {
    public:
        explicit Handed(FaultyJournal& owner) : owner_(owner) {}

        cdp::Result<void> append(std::span<const std::string> records) override {
            CDP_CHECK(try_writing());
            return owner_.journal_->append(records);
        }
        cdp::Result<void> try_writing() override {
            if (owner_.appends_fail)
                return cdp::Error{.code = cdp::ErrorCode::storage_full,
                                  .reason = "disk_full",
                                  .message = "The disk is full."};
            owner_.wait_for_disk();
            return cdp::Result<void>::ok();
        }
        cdp::Result<void> take_back() override { return owner_.journal_->take_back(); }
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

    void wait_for_disk() {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !stalled_; });
        --waiting_;
    }

    std::unique_ptr<storage::Journal> journal_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    bool stalled_ = false;
    int waiting_ = 0;
};

}  // namespace tests
