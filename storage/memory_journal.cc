#include <algorithm>
#include <map>
#include <mutex>

#include "cdp/base/assert.h"
#include "storage/journal.h"
#include "storage/journal_frame.h"

namespace storage {
namespace {

class MemoryJournal final : public Journal {
public:
    cdp::Result<void> append(std::span<const std::string> records) override {
        const std::lock_guard lock(mutex_);
        auto& segment = segments_[segment_];
        before_ = segment.size();
        for (const auto& record : records) {
            CDP_ASSERT(!record.empty() && record.size() <= kJournalRecordMax);
            add_frame(segment, record);
        }
        return cdp::Result<void>::ok();
    }
    cdp::Result<void> try_writing() override { return cdp::Result<void>::ok(); }
    cdp::Result<void> take_back() override {
        const std::lock_guard lock(mutex_);
        segments_[segment_].resize(before_);
        return cdp::Result<void>::ok();
    }
    std::uint64_t segment() const override {
        const std::lock_guard lock(mutex_);
        return segment_;
    }
    std::uint64_t bytes() const override {
        const std::lock_guard lock(mutex_);
        const auto found = segments_.find(segment_);
        return found == segments_.end() ? 0 : found->second.size();
    }
    void cut() override {
        const std::lock_guard lock(mutex_);
        if (const auto found = segments_.find(segment_);
            found != segments_.end() && !found->second.empty())
            ++segment_;
    }
    void start_after(std::uint64_t segment) override {
        const std::lock_guard lock(mutex_);
        segment_ = std::max(segment_, segment + 1);
    }
    cdp::Result<std::vector<std::uint64_t>> segments() const override {
        const std::lock_guard lock(mutex_);
        std::vector<std::uint64_t> out;
        for (const auto& [segment, bytes] : segments_)
            if (segment < segment_) out.push_back(segment);
        return out;
    }
    cdp::Result<void> sync(std::uint64_t) override { return cdp::Result<void>::ok(); }
    cdp::Result<Unread> read(std::uint64_t segment,
                             const std::function<void(std::string_view)>& visit) const override {
        std::string bytes;
        {
            const std::lock_guard lock(mutex_);
            const auto found = segments_.find(segment);
            if (found != segments_.end()) bytes = found->second;
        }
        return Unread{read_frames(bytes, visit)};
    }
    cdp::Result<void> drop(std::uint64_t segment) override {
        const std::lock_guard lock(mutex_);
        segments_.erase(segment);
        return cdp::Result<void>::ok();
    }

private:
    mutable std::mutex mutex_;  // held for each call: appending and draining meet in the map
    std::map<std::uint64_t, std::string> segments_;
    std::uint64_t segment_ = 1;
    std::size_t before_ = 0;  // bytes of the segment before the last append
};

}  // namespace

std::unique_ptr<Journal> make_memory_journal() {
    return std::make_unique<MemoryJournal>();
}

}  // namespace storage
