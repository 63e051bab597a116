#include "storage/scan_ahead.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace storage {
namespace {

constexpr std::size_t kBatchBytes = 256 * 1024;
constexpr std::size_t kBatchesAhead = 4;

// Pairs, one after the other.
class Batch {
public:
    void add(std::string_view key, std::string_view value) {
        if (bytes_.empty()) bytes_.reserve(kBatchBytes + kKeyBytesMax + kValueBytesMax);
        bytes_.append(key).append(value);
        sizes_.emplace_back(static_cast<std::uint32_t>(key.size()),
                            static_cast<std::uint32_t>(value.size()));
    }
    std::size_t size() const { return bytes_.size(); }

    // False: the visit asked for the end.
    bool tell(const Visit& visit) const {
        std::string_view rest = bytes_;
        for (const auto& [key, value] : sizes_) {
            if (!visit(rest.substr(0, key), rest.substr(key, value))) return false;
            rest.remove_prefix(key + value);
        }
        return true;
    }

private:
    std::string bytes_;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> sizes_;
};

// From the thread that reads to the one that visits.
class Belt {
public:
    // Waits while the visits are behind. False: nobody wants more.
    bool put(Batch batch) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return stopped_ || batches_.size() < kBatchesAhead; });
        if (stopped_) return false;
        batches_.push_back(std::move(batch));
        changed_.notify_all();
        return true;
    }
    void end() {
        const std::lock_guard lock(mutex_);
        ended_ = true;
        changed_.notify_all();
    }

    // False: there are no more.
    bool take(Batch& out) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return ended_ || !batches_.empty(); });
        if (batches_.empty()) return false;
        out = std::move(batches_.front());
        batches_.pop_front();
        changed_.notify_all();
        return true;
    }
    void stop() {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;  // guards everything below
    std::condition_variable changed_;
    std::deque<Batch> batches_;
    bool ended_ = false;
    bool stopped_ = false;
};

cdp::Result<void> read_all(const Snapshot& snapshot, std::string_view prefix, std::string_view from,
                           Belt& belt) {
    Batch batch;
    CDP_CHECK(snapshot.scan(prefix, from, [&](std::string_view key, std::string_view value) {
        batch.add(key, value);
        return batch.size() < kBatchBytes || belt.put(std::exchange(batch, {}));
    }));
    belt.put(std::move(batch));
    return cdp::Result<void>::ok();
}

// Stops the belt when whoever takes from it leaves, by an exception too.
class Stop {
public:
    explicit Stop(Belt& belt) : belt_(belt) {}
    ~Stop() { belt_.stop(); }
    Stop(const Stop&) = delete;
    Stop& operator=(const Stop&) = delete;

private:
    Belt& belt_;
};

}  // namespace

cdp::Result<void> scan_ahead(const Snapshot& snapshot, std::string_view prefix,
                             std::string_view from, const Visit& visit) {
    Belt belt;
    auto outcome = cdp::Result<void>::ok();
    std::jthread reader([&] {
        outcome = read_all(snapshot, prefix, from, belt);
        belt.end();
    });
    {
        const Stop stop(belt);
        Batch batch;
        while (belt.take(batch) && batch.tell(visit)) continue;
    }
    reader.join();
    return outcome;
}

}  // namespace storage
